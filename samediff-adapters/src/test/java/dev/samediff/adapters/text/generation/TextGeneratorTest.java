package dev.samediff.adapters.text.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import dev.samediff.adapters.text.tokenizer.Framing;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TextGeneratorTest {
    private static final CharTokenizer LETTERS = CharTokenizer.ofText("abcdefghijklmnopqrstuvwxyz");

    /** Says the alphabet on from the last letter, and ends after z. Records the shapes it was asked for. */
    private final List<String> shapes = new ArrayList<>();

    private INDArray alphabet(INDArray ids, int[] lengths) {
        shapes.add(ids.size(0) + "x" + ids.size(1));
        long[][] rows = ids.toLongMatrix();
        INDArray logits = Nd4j.zeros(DataType.FLOAT, ids.size(0), ids.size(1), LETTERS.vocabularySize());
        for (int row = 0; row < rows.length; row++) {
            for (int t = 0; t < rows[row].length; t++) {
                boolean real = t < lengths[row];
                int next = real ? (int) rows[row][t] + 1 : 3; // padding would lead to "a"
                logits.putScalar(new int[] {row, t, next == LETTERS.vocabularySize() ? LETTERS.eosId() : next}, 5);
            }
        }
        return logits;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void prompts_of_different_lengths_are_continued_whatever_the_batch_size(int batchSize) {
        GenerationPlan plan = GenerationPlan.greedy(5, 64).batched(batchSize);
        List<Generation> results =
                new TextGenerator(this::alphabet, LETTERS, plan).generate(List.of("abc", "x", "klmnop", "z"));
        assertThat(results).extracting(Generation::text).containsExactly("defgh", "yz", "qrstu", "");
        assertThat(results)
                .extracting(Generation::end)
                .containsExactly(
                        Generation.End.MAX_NEW_TOKENS,
                        Generation.End.EOS,
                        Generation.End.MAX_NEW_TOKENS,
                        Generation.End.EOS);
        assertThat(results.get(1).ids()).containsExactly(27, 28);
    }

    @Test
    void what_is_written_is_told_as_it_is_written_and_may_be_cancelled() {
        Map<Integer, List<String>> told = new TreeMap<>();
        GenerationPlan plan = GenerationPlan.greedy(5, 64).stoppedAt(List.of("fh", "tu"));
        List<Generation> results = new TextGenerator(this::alphabet, LETTERS, plan)
                .tellingTo((prompt, piece) -> {
                    told.computeIfAbsent(prompt, key -> new ArrayList<>()).add(piece);
                    return !piece.equals("o");
                })
                .generate(List.of("abc", "x", "pqr", "z", "klm"));
        assertThat(told)
                .isEqualTo(Map.of(
                        0, List.of("d", "e", "fg", "h"),
                        1, List.of("y", "z"),
                        2, List.of("s"),
                        4, List.of("n", "o")));
        assertThat(results).extracting(Generation::text).containsExactly("defgh", "yz", "s", "", "no");
        assertThat(results)
                .extracting(Generation::end)
                .containsExactly(
                        Generation.End.MAX_NEW_TOKENS,
                        Generation.End.EOS,
                        Generation.End.STOP_STRING,
                        Generation.End.EOS,
                        Generation.End.CANCELLED);
        assertThat(results.get(2).ids()).as("those of the stop string too").containsExactly(21, 22, 23);
    }

    @Test
    void every_end_of_the_tokenizer_ends_a_text() {
        Tokenizer several = new TokenizerWith(LETTERS, new Framing(List.of(), List.of(), List.of(1, 8, 20), "a test"));
        List<Generation> results = new TextGenerator(this::alphabet, several, GenerationPlan.greedy(9, 64))
                .generate(List.of("abc", "x", "k"));
        assertThat(results).extracting(Generation::text).containsExactly("de", "yz", "lmnopq");
        assertThat(results).extracting(Generation::end).containsOnly(Generation.End.EOS);
    }

    @Test
    void prompts_begin_as_the_tokenizer_says() {
        Framing framing = Framing.plain(1).withBefore(List.of(new Framing.Mark(28, "z")), "a test");
        Tokenizer framed = new TokenizerWith(LETTERS, framing);
        new TextGenerator(this::alphabet, framed, GenerationPlan.greedy(1, 64)).generate(List.of("abc", "zab"));
        assertThat(shapes).containsExactly("2x4");
        assertThat(new TextGenerator(this::alphabet, framed, GenerationPlan.greedy(1, 64))
                        .generate(List.of(""))
                        .get(0)
                        .end())
                .isEqualTo(Generation.End.EOS);
    }

    /** Another framing. */
    private record TokenizerWith(CharTokenizer letters, Framing framing) implements Tokenizer {
        @Override
        public int[] encode(String text) {
            return letters.encode(text);
        }

        @Override
        public String decode(int[] ids) {
            return letters.decode(ids);
        }

        @Override
        public int padId() {
            return letters.padId();
        }

        @Override
        public int eosId() {
            return letters.eosId();
        }

        @Override
        public int vocabularySize() {
            return letters.vocabularySize();
        }

        @Override
        public String describe() {
            return letters.describe();
        }
    }

    @Test
    void finished_sequences_leave_the_batch() {
        new TextGenerator(this::alphabet, LETTERS, GenerationPlan.greedy(4, 64)).generate(List.of("z", "y", "a"));
        assertThat(shapes).containsExactly("3x1", "2x2", "1x3", "1x4");
    }

    @Test
    void lengths_are_rounded_up_within_the_context() {
        GenerationPlan plan = GenerationPlan.greedy(9, 6).paddedToMultipleOf(4);
        List<Generation> results = new TextGenerator(this::alphabet, LETTERS, plan).generate(List.of("abc"));
        assertThat(results.get(0).text()).isEqualTo("def");
        assertThat(results.get(0).end()).isEqualTo(Generation.End.CONTEXT);
        assertThat(shapes).containsExactly("1x4", "1x4", "1x6");
    }

    @Test
    void a_model_may_give_the_last_position_only_in_any_type_and_order() {
        for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE, DataType.BFLOAT16)) {
            LogitsFunction last = (ids, lengths) -> {
                INDArray all = alphabet(ids, lengths);
                INDArray rows = Nd4j.create(DataType.FLOAT, new long[] {lengths.length, all.size(2)}, 'f');
                for (int row = 0; row < lengths.length; row++) {
                    rows.putRow(row, all.slice(row).getRow(lengths[row] - 1));
                }
                return rows.castTo(type);
            };
            assertThat(new TextGenerator(last, LETTERS, GenerationPlan.greedy(3, 64)).generate(List.of("abc", "m")))
                    .extracting(Generation::text)
                    .containsExactly("def", "nop");
        }
    }

    @Test
    void logits_in_another_memory_order_are_read_right() {
        LogitsFunction model = (ids, lengths) -> alphabet(ids, lengths).dup('f');
        assertThat(new TextGenerator(model, LETTERS, GenerationPlan.greedy(3, 64))
                        .generate(List.of("abc", "m"))
                        .get(1)
                        .text())
                .isEqualTo("nop");
    }

    @Test
    void vocabulary_padding_of_the_model_is_never_chosen() {
        LogitsFunction model = (ids, lengths) -> {
            INDArray logits = Nd4j.zeros(DataType.FLOAT, ids.size(0), LETTERS.vocabularySize() + 3L);
            logits.putScalar(0, LETTERS.vocabularySize() + 1L, 9);
            logits.putScalar(0, 3, 5);
            return logits;
        };
        assertThat(new TextGenerator(model, LETTERS, GenerationPlan.greedy(2, 64))
                        .generate(List.of("q"))
                        .get(0)
                        .text())
                .isEqualTo("aa");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void sampling_depends_on_the_seed_and_not_on_the_batch(int batchSize) {
        LogitsFunction flat = (ids, lengths) -> Nd4j.zeros(DataType.FLOAT, ids.size(0), LETTERS.vocabularySize());
        List<String> prompts = List.of("a", "bc", "d");
        GenerationPlan plan = GenerationPlan.greedy(20, 64).sampled(Sampler.temperature(1), 5);
        List<Generation> once = new TextGenerator(flat, LETTERS, plan.batched(2)).generate(prompts);
        List<Generation> again = new TextGenerator(flat, LETTERS, plan.batched(batchSize)).generate(prompts);
        assertThat(again).isEqualTo(once);
        assertThat(new TextGenerator(flat, LETTERS, plan.sampled(Sampler.temperature(1), 6)).generate(prompts))
                .isNotEqualTo(once);
    }

    @Test
    void what_cannot_be_continued_is_refused() {
        TextGenerator generator = new TextGenerator(this::alphabet, LETTERS, GenerationPlan.greedy(2, 4));
        assertThatThrownBy(() -> generator.generate(List.of("a", "")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("prompt 1 has no tokens");
        assertThatThrownBy(() -> generator.generate(List.of("abcd")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("prompt 0 has 4 tokens, the context length is 4");
    }

    @Test
    void a_model_gone_wrong_is_told_apart_from_wrong_input() {
        LogitsFunction nan = (ids, lengths) ->
                Nd4j.valueArrayOf(new long[] {ids.size(0), LETTERS.vocabularySize()}, Double.NaN, DataType.FLOAT);
        assertThatThrownBy(() -> new TextGenerator(nan, LETTERS, GenerationPlan.greedy(2, 4)).generate(List.of("a")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("NaN logits at position 0 of prompt 0");
        LogitsFunction small = (ids, lengths) -> Nd4j.zeros(DataType.FLOAT, ids.size(0), 4);
        assertThatThrownBy(() -> new TextGenerator(small, LETTERS, GenerationPlan.greedy(2, 4)).generate(List.of("a")))
                .hasMessageContaining("logits for 4 tokens, the tokenizer has 29");
    }
}
