package dev.samediff.adapters.text.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class BeamSearchTest {
    private static final CharTokenizer LETTERS = CharTokenizer.ofText("abc");
    private static final int SIZE = LETTERS.vocabularySize();
    private static final int TOKENS = 4;
    private static final int EVERYTHING = 1000; // more than there are texts

    /** A model whose scores depend on the last two tokens only. */
    private static final class Chain implements LogitsFunction {
        private final double[][] scores = new double[SIZE * SIZE][SIZE];
        private int widest;

        Chain(long seed) {
            Random random = new Random(seed);
            for (double[] row : scores) {
                for (int id = 0; id < SIZE; id++) {
                    row[id] = 2 * random.nextGaussian();
                }
            }
        }

        double[] after(int... ids) {
            int before = ids.length > 1 ? ids[ids.length - 2] : 0;
            return scores[before * SIZE + ids[ids.length - 1]];
        }

        @Override
        public INDArray logits(INDArray ids, int[] lengths) {
            widest = Math.max(widest, lengths.length);
            long[][] texts = ids.toLongMatrix();
            double[][] all = new double[lengths.length][];
            for (int row = 0; row < lengths.length; row++) {
                int[] text = new int[lengths[row]];
                for (int t = 0; t < text.length; t++) {
                    text[t] = (int) texts[row][t];
                }
                all[row] = after(text);
            }
            return Nd4j.createFromArray(all);
        }
    }

    private record Text(List<Integer> ids, double score) {}

    /** All texts that there are, scored one by one. */
    private static Text best(Chain model, Beams beams, int... prompt) {
        List<Text> all = new ArrayList<>();
        walk(model, beams, prompt, new ArrayList<>(), 0, all);
        return all.stream()
                .max((one, other) -> Double.compare(one.score(), other.score()))
                .orElseThrow();
    }

    private static void walk(Chain model, Beams beams, int[] prompt, List<Integer> ids, double sum, List<Text> all) {
        if (ids.size() == TOKENS) {
            all.add(new Text(List.copyOf(ids), sum / Math.pow(TOKENS, beams.lengthPenalty())));
            return;
        }
        int[] text = new int[prompt.length + ids.size()];
        for (int i = 0; i < text.length; i++) {
            text[i] = i < prompt.length ? prompt[i] : ids.get(i - prompt.length);
        }
        double[] scores = model.after(text);
        double total = 0;
        for (double score : scores) {
            total += Math.exp(score);
        }
        for (int id = 0; id < SIZE; id++) {
            double next = sum + scores[id] - Math.log(total);
            if (LETTERS.framing().isEnd(id)) {
                all.add(new Text(List.copyOf(ids), next / Math.pow(ids.size() + 1, beams.lengthPenalty())));
            } else {
                ids.add(id);
                walk(model, beams, prompt, ids, next, all);
                ids.remove(ids.size() - 1);
            }
        }
    }

    private static Generation search(LogitsFunction model, GenerationPlan plan, String prompt) {
        return new TextGenerator(model, LETTERS, plan)
                .generateFrom(List.of(LETTERS.encode(prompt)))
                .get(0);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "2, 0", "3, 2", "4, -1", "5, 0.6", "6, 1", "7, 1"})
    void with_beams_enough_it_is_the_best_of_all_texts(long seed, double lengthPenalty) {
        Chain model = new Chain(seed);
        Beams beams = Beams.of(EVERYTHING).withLengthPenalty(lengthPenalty);
        GenerationPlan plan = GenerationPlan.greedy(TOKENS, 20).withBeams(beams);
        Generation found = search(model, plan, "ab");
        Text expected = best(model, beams, LETTERS.encode("ab"));
        assertThat(found.ids())
                .containsExactly(expected.ids().stream().mapToInt(id -> id).toArray());
        assertThat(found.end() == Generation.End.EOS).isEqualTo(expected.ids().size() < TOKENS);
    }

    @Test
    void few_beams_find_a_text_that_is_no_worse_than_the_greedy_one_and_often_better() {
        int better = 0;
        for (long seed = 0; seed < 40; seed++) {
            Chain model = new Chain(seed);
            Beams beams = Beams.of(3).withLengthPenalty(0);
            GenerationPlan plan = GenerationPlan.greedy(TOKENS, 20);
            double greedy = logProbability(model, search(model, plan, "ab"));
            double found = logProbability(model, search(model, plan.withBeams(beams), "ab"));
            better += found > greedy + 1e-9 ? 1 : 0;
            assertThat(found).isGreaterThanOrEqualTo(greedy - 3); // a beam may lose what it leaves early
            assertThat(model.widest).isLessThanOrEqualTo(3);
        }
        assertThat(better).isGreaterThan(8);
    }

    private static double logProbability(Chain model, Generation text) {
        int[] prompt = LETTERS.encode("ab");
        double sum = 0;
        int[] ids = java.util.Arrays.copyOf(prompt, prompt.length + text.ids().length);
        System.arraycopy(text.ids(), 0, ids, prompt.length, text.ids().length);
        for (int length = prompt.length; length <= ids.length; length++) {
            boolean end = length == ids.length;
            if (end && text.end() != Generation.End.EOS) {
                break;
            }
            double[] scores = model.after(java.util.Arrays.copyOf(ids, length));
            double total = 0;
            for (double score : scores) {
                total += Math.exp(score);
            }
            sum += scores[end ? LETTERS.framing().ends().get(0) : ids[length]] - Math.log(total);
        }
        return sum;
    }

    @Test
    void a_likely_first_token_does_not_hide_a_better_text() {
        // after the prompt "a": b with 0.6, c with 0.4; after b four ways of 0.25, after c only the end
        int a = LETTERS.encode("a")[0];
        int b = LETTERS.encode("b")[0];
        int c = LETTERS.encode("c")[0];
        int end = LETTERS.framing().ends().get(0);
        LogitsFunction model = (ids, lengths) -> {
            long[][] texts = ids.toLongMatrix();
            double[][] all = new double[lengths.length][SIZE];
            for (int row = 0; row < lengths.length; row++) {
                long last = texts[row][lengths[row] - 1];
                java.util.Arrays.fill(all[row], Double.NEGATIVE_INFINITY);
                if (last == a) {
                    all[row][b] = Math.log(0.6);
                    all[row][c] = Math.log(0.4);
                } else if (last == b) {
                    for (int id : new int[] {a, b, c, end}) {
                        all[row][id] = Math.log(0.25);
                    }
                } else {
                    all[row][end] = 0;
                }
            }
            return Nd4j.createFromArray(all);
        };
        GenerationPlan plan = GenerationPlan.greedy(2, 20);
        assertThat(search(model, plan, "a").text()).startsWith("b");
        assertThat(search(model, plan.withBeams(Beams.of(2).withLengthPenalty(0)), "a"))
                .isEqualTo(new Generation("c", new int[] {c}, Generation.End.EOS));
    }

    @Test
    void the_text_is_told_whole_when_it_is_sure() {
        List<String> told = new ArrayList<>();
        GenerationPlan plan = GenerationPlan.greedy(TOKENS, 20).withBeams(Beams.of(2));
        Generation found = new TextGenerator(new Chain(3), LETTERS, plan)
                .tellingTo((prompt, piece) -> told.add(piece))
                .generateFrom(List.of(LETTERS.encode("ab")))
                .get(0);
        assertThat(String.join("", told)).isEqualTo(found.text());
    }

    @Test
    void what_makes_no_sense_is_refused() {
        assertThatThrownBy(() -> Beams.of(1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("2 to");
        assertThatThrownBy(() -> Beams.of(2).withLengthPenalty(Double.NaN)).isInstanceOf(InvalidInputException.class);
        GenerationPlan plan = GenerationPlan.greedy(4, 20);
        assertThatThrownBy(() -> plan.sampled(Sampling.of(0.7), 1).withBeams(Beams.of(2)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("nothing is drawn");
        assertThatThrownBy(() -> plan.withBeams(Beams.of(2)).sampled(Sampling.of(0.7), 1))
                .isInstanceOf(InvalidInputException.class);
    }
}
