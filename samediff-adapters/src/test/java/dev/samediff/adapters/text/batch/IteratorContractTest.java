package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** What every iterator keeps with every option: each label once an epoch, nothing under padding, the same epochs every time. */
class IteratorContractTest {
    private static final int LENGTH = 32;
    private static final int PAD = 99_999;
    private static final int EPOCHS = 3;

    static Stream<BatchPlan> plans() {
        List<BatchPlan> plans = new ArrayList<>();
        for (Packing packing : Packing.values()) {
            for (int batch : new int[] {1, 4, 7, 200}) {
                for (int buckets : new int[] {0, 1, 3, 50}) {
                    for (int multiple : new int[] {1, 8}) {
                        BatchPlan plan = BatchPlan.of(batch, LENGTH)
                                .bucketed(buckets)
                                .packed(packing)
                                .paddedToMultipleOf(multiple)
                                .masking(
                                        packing == Packing.ISOLATED
                                                ? new AttentionMask(3, false)
                                                : AttentionMask.TOKENS)
                                .filling(List.of("input_ids", "attention_mask", "position_ids"));
                        plans.addAll(
                                List.of(plan, plan.shuffled(5), plan.shuffled(5).droppingLast()));
                    }
                }
            }
        }
        return plans.stream();
    }

    /** Sequences of which every token is different, some of them windows of one long text. */
    private static List<TokenSequence> sequences() {
        Random random = new Random(1);
        List<TokenSequence> sequences = new ArrayList<>();
        int next = 1;
        for (int s = 0; s < 60; s++) {
            int length = 2 + random.nextInt(LENGTH - 2);
            int[] ids = new int[length];
            boolean[] labelled = new boolean[length];
            for (int t = 0; t < length; t++) {
                ids[t] = next++;
                labelled[t] = t >= Math.min(length - 1, 1 + s % 4);
            }
            sequences.add(new TokenSequence(ids, labelled));
            if (s % 7 == 0) {
                next = windows(sequences, next, 2 + random.nextInt(4 * LENGTH));
            }
        }
        return sequences;
    }

    /** As {@link SequenceEncoder} splits a text: windows share a token. */
    private static int windows(List<TokenSequence> sequences, int first, int length) {
        for (int start = 0; start + 1 < length; start += LENGTH) {
            int[] ids = new int[Math.min(length - start, LENGTH + 1)];
            for (int t = 0; t < ids.length; t++) {
                ids[t] = first + start + t;
            }
            TokenSequence window = TokenSequence.allLabelled(ids);
            sequences.add(start == 0 ? window : window.continuing());
        }
        return first + length;
    }

    private static List<String> labels(List<TokenSequence> sequences) {
        List<String> labels = new ArrayList<>();
        for (TokenSequence sequence : sequences) {
            for (int t = 1; t < sequence.length(); t++) {
                if (sequence.labelled()[t]) {
                    labels.add(sequence.ids()[t - 1] + ">" + sequence.ids()[t]);
                }
            }
        }
        Collections.sort(labels);
        return labels;
    }

    private static String print(MultiDataSet batch) {
        return batch.getFeatures(0).toStringFull() + batch.getLabels(0).toStringFull();
    }

    /** Reads the labels of a batch, and looks at its paddings. */
    private static void read(MultiDataSet batch, List<String> labels, List<Long> tokens) {
        INDArray ids = batch.getFeatures(0);
        for (int row = 0; row < ids.size(0); row++) {
            for (int t = 0; t < ids.size(1); t++) {
                long id = ids.getLong(row, t);
                INDArray mask = batch.getFeatures(1);
                boolean real = mask.rank() > 2 ? id != PAD : mask.getInt(row, t) == 1;
                long label = batch.getLabels(0).getLong(row, t);
                assertThat(id == PAD).isEqualTo(!real);
                if (real) {
                    tokens.add(id);
                }
                if (batch.getLabelsMaskArray(0).getDouble(row, t) != 0) {
                    assertThat(real).as("a label under padding").isTrue();
                    labels.add(id + ">" + label);
                } else {
                    assertThat(label).as("a label that does not count").isZero();
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("plans")
    void every_label_comes_once_an_epoch_with_the_token_before_it(BatchPlan plan) {
        List<TokenSequence> data = sequences();
        List<String> wanted = labels(data);
        CausalLmIterator iterator;
        try {
            iterator = new CausalLmIterator(data, PAD, plan);
        } catch (InvalidInputException noFullBatch) {
            assertThat(plan.dropLast() && noFullBatch.getMessage().contains("no full batch"))
                    .isTrue();
            return;
        }
        List<String> epochs = new ArrayList<>();
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            List<String> labels = new ArrayList<>();
            List<Long> tokens = new ArrayList<>();
            StringBuilder all = new StringBuilder();
            int rows = 0;
            while (iterator.hasNext()) {
                MultiDataSet batch = iterator.next();
                rows += (int) batch.getFeatures(0).size(0);
                read(batch, labels, tokens);
                all.append(print(batch));
            }
            assertThat(new TreeSet<>(labels)).hasSameSizeAs(labels);
            if (plan.dropLast()) {
                assertThat(rows % plan.batchSize()).isZero();
                assertThat(wanted).containsAll(labels);
            } else {
                Collections.sort(labels);
                assertThat(labels).isEqualTo(wanted);
            }
            if (plan.packing() == Packing.STREAM) {
                assertThat(new TreeSet<>(tokens)).hasSameSizeAs(tokens);
            }
            epochs.add(all.toString());
            iterator.reset();
        }
        CausalLmIterator again = new CausalLmIterator(data, PAD, plan);
        again.startEpoch(EPOCHS - 1);
        StringBuilder last = new StringBuilder();
        while (again.hasNext()) {
            last.append(print(again.next()));
        }
        assertThat(last.toString()).isEqualTo(epochs.get(EPOCHS - 1));
    }

    @Test
    void every_text_comes_once_an_epoch_with_its_class_as_an_index_or_one_hot() {
        StringBuilder letters = new StringBuilder();
        for (char letter = 'a'; letter <= 'z'; letter++) {
            letters.append(letter);
        }
        CharTokenizer tokenizer = CharTokenizer.ofText(letters.toString());
        Random random = new Random(1);
        List<LabelledText> texts = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            texts.add(new LabelledText("x".repeat(1 + random.nextInt(20)) + (char) ('a' + i % 26), i));
        }
        for (int batch : new int[] {1, 7, 200}) {
            for (int buckets : new int[] {0, 3}) {
                BatchPlan plan = BatchPlan.of(batch, 12).shuffled(3).bucketed(buckets);
                ClassificationIterator indices = new ClassificationIterator(texts, tokenizer, plan);
                ClassificationIterator oneHot = indices.withOneHotLabels(50);
                for (int epoch = 0; epoch < EPOCHS; epoch++) {
                    List<Integer> seen = new ArrayList<>();
                    while (indices.hasNext()) {
                        INDArray expected = indices.next().getLabels(0);
                        INDArray given = oneHot.next().getLabels(0);
                        assertThat(given.sum(1).toFloatVector()).containsOnly(1f);
                        assertThat(given.argMax(1).toIntVector()).isEqualTo(expected.toIntVector());
                        for (int label : expected.toIntVector()) {
                            seen.add(label);
                        }
                    }
                    Collections.sort(seen);
                    assertThat(seen).hasSize(50).doesNotHaveDuplicates();
                    indices.reset();
                    oneHot.reset();
                }
            }
        }
    }

    /** The token where windows meet was in the stream twice: [abcdefghi] [iijklmnop]. */
    @Test
    void a_long_text_comes_out_of_a_stream_as_it_was() {
        String text = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
        CharTokenizer tokenizer = CharTokenizer.ofText(text);
        for (int window : new int[] {2, 5, 8, 34, 35, 36, 100}) {
            List<TokenSequence> windows = SequenceEncoder.of(tokenizer, window).encode(TextExample.text(text));
            for (int length : new int[] {2, 8, 11, 100}) {
                StringBuilder read = new StringBuilder();
                for (TokenSequence row : Packing.STREAM.pack(windows, length)) {
                    String part = tokenizer.decode(row.ids());
                    read.append(read.isEmpty() ? part : part.substring(1)); // rows share one token
                }
                assertThat(read.toString())
                        .as("windows of %d, rows of %d", window, length)
                        .startsWith(text);
            }
        }
    }

    @Test
    void the_description_tells_other_data_and_other_batches_apart() {
        List<TokenSequence> data = sequences();
        BatchPlan plan = BatchPlan.of(4, LENGTH).shuffled(5);
        var known = new CausalLmIterator(data, PAD, plan).description();
        assertThat(new CausalLmIterator(sequences(), PAD, plan).description()).isEqualTo(known);
        List<TokenSequence> fewer = data.subList(1, data.size());
        List<TokenSequence> other = new ArrayList<>(data);
        other.set(3, TokenSequence.allLabelled(7, 8, 9));
        List<CausalLmIterator> others = List.of(
                new CausalLmIterator(fewer, PAD, plan),
                new CausalLmIterator(other, PAD, plan),
                new CausalLmIterator(data, 0, plan),
                new CausalLmIterator(data, PAD, BatchPlan.of(3, LENGTH).shuffled(5)),
                new CausalLmIterator(data, PAD, BatchPlan.of(4, LENGTH + 1).shuffled(5)),
                new CausalLmIterator(data, PAD, plan.shuffled(6)),
                new CausalLmIterator(data, PAD, BatchPlan.of(4, LENGTH)),
                new CausalLmIterator(data, PAD, plan.bucketed(3)),
                new CausalLmIterator(data, PAD, plan.droppingLast()),
                new CausalLmIterator(data, PAD, plan.paddedToMultipleOf(8)),
                new CausalLmIterator(data, PAD, plan.packed(Packing.STREAM)),
                new CausalLmIterator(data, PAD, plan.filling(List.of("input_ids", "position_ids"))));
        assertThat(others)
                .allSatisfy(iterator -> assertThat(iterator.description()).isNotEqualTo(known));
        TreeSet<String> different = new TreeSet<>();
        others.forEach(iterator -> different.add(iterator.description().toString()));
        assertThat(different).hasSameSizeAs(others);
    }
}
