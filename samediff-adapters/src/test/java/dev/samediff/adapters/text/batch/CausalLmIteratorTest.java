package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.generation.RandomSequences;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

class CausalLmIteratorTest {
    private static final int PAD = 99;

    /** Second tokens of the rows, which tell the sequences of {@link RandomSequences} apart, batch by batch. */
    private static List<List<Integer>> epoch(CausalLmIterator iterator) {
        List<List<Integer>> batches = new ArrayList<>();
        while (iterator.hasNext()) {
            INDArray labels = iterator.next().getLabels(0);
            List<Integer> batch = new ArrayList<>();
            for (int row = 0; row < labels.size(0); row++) {
                batch.add(labels.getInt(row, 0));
            }
            batches.add(batch);
        }
        return batches;
    }

    @Test
    void a_batch_holds_inputs_shifted_labels_and_their_mask() {
        TokenSequence one = new TokenSequence(new int[] {5, 6, 7, 8}, new boolean[] {false, false, true, true});
        TokenSequence two = new TokenSequence(new int[] {3, 4}, new boolean[] {false, true});
        BatchPlan plan =
                BatchPlan.of(2, 8).filling(List.of("attention_mask", "input_ids", "position_ids", "token_type_ids"));
        CausalLmIterator iterator = new CausalLmIterator(List.of(one, two), PAD, plan);
        MultiDataSet batch = iterator.next();
        assertThat(iterator.featureNames())
                .containsExactly("attention_mask", "input_ids", "position_ids", "token_type_ids");
        assertThat(batch.getFeatures(0).toLongMatrix()).isDeepEqualTo(new long[][] {{1, 1, 1}, {1, 0, 0}});
        assertThat(batch.getFeatures(1).toLongMatrix()).isDeepEqualTo(new long[][] {{5, 6, 7}, {3, PAD, PAD}});
        assertThat(batch.getFeatures(2).toLongMatrix()).isDeepEqualTo(new long[][] {{0, 1, 2}, {0, 1, 2}});
        assertThat(batch.getFeatures(3).toLongMatrix()).isDeepEqualTo(new long[][] {{0, 0, 0}, {0, 0, 0}});
        assertThat(batch.getLabels(0).toIntMatrix()).isDeepEqualTo(new int[][] {{0, 7, 8}, {4, 0, 0}});
        assertThat(batch.getLabelsMaskArray(0).toFloatMatrix()).isDeepEqualTo(new float[][] {{0, 1, 1}, {1, 0, 0}});
        assertThat(batch.getFeaturesMaskArrays()).isNull();
        assertThat(iterator.hasNext()).isFalse();
    }

    @Test
    void isolated_documents_of_a_row_see_themselves_only_and_begin_at_position_0() {
        TokenSequence one = new TokenSequence(new int[] {5, 6, 7}, new boolean[] {true, false, true});
        TokenSequence two = new TokenSequence(new int[] {3, 4}, new boolean[] {true, true});
        BatchPlan plan = BatchPlan.of(1, 8)
                .filling(List.of("input_ids", "attention_mask", "position_ids"))
                .packed(Packing.ISOLATED)
                .masking(new AttentionMask(3, false))
                .paddedToMultipleOf(5);
        MultiDataSet batch = new CausalLmIterator(List.of(two, one), PAD, plan).next();
        assertThat(batch.getFeatures(0).toLongMatrix()).isDeepEqualTo(new long[][] {{5, 6, 7, 3, PAD}});
        assertThat(batch.getFeatures(1).slice(0).toLongMatrix()).isDeepEqualTo(new long[][] {
            {1, 0, 0, 0, 0}, {1, 1, 0, 0, 0}, {1, 1, 1, 0, 0}, {0, 0, 0, 1, 0}, {0, 0, 0, 0, 1}
        });
        assertThat(batch.getFeatures(2).toLongMatrix()).isDeepEqualTo(new long[][] {{0, 1, 2, 0, 4}});
        assertThat(batch.getLabels(0).toIntMatrix()).isDeepEqualTo(new int[][] {{0, 7, 0, 4, 0}});
        assertThat(batch.getLabelsMaskArray(0).toFloatMatrix()).isDeepEqualTo(new float[][] {{0, 1, 0, 1, 0}});
        INDArray added = new CausalLmIterator(
                        List.of(one),
                        PAD,
                        plan.packed(Packing.NONE)
                                .masking(new AttentionMask(4, true))
                                .typed(SequenceFeature.ATTENTION_MASK, DataType.HALF))
                .next()
                .getFeatures(1);
        assertThat(added.dataType()).isEqualTo(DataType.HALF);
        assertThat(added.shape()).containsExactly(1, 1, 5, 5);
        assertThat(added.getDouble(0, 0, 0, 1)).isEqualTo(-6e4, within(100.0));
        assertThat(added.getDouble(0, 0, 1, 0)).isZero();
    }

    @Test
    void documents_cannot_be_kept_apart_without_a_mask_of_pairs_and_positions() {
        List<TokenSequence> data = RandomSequences.of(3, 5, 1);
        BatchPlan plan = BatchPlan.of(3, 8).packed(Packing.ISOLATED);
        assertThatThrownBy(() -> new CausalLmIterator(data, PAD, plan))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("fills no attention_mask; export the model with attention_mask [batch, 1,");
        assertThatThrownBy(() -> new CausalLmIterator(
                        data, PAD, plan.filling(List.of("input_ids", "attention_mask", "position_ids"))))
                .hasMessageContaining("fills attention_mask [batch, T]; export the model");
        assertThatThrownBy(() -> new CausalLmIterator(
                        data,
                        PAD,
                        plan.filling(List.of("input_ids", "attention_mask")).masking(new AttentionMask(4, true))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("begin anew at position 0, and this plan fills no position_ids");
    }

    @Test
    void data_types_are_those_of_onnx_unless_the_plan_says_otherwise() {
        List<TokenSequence> data = RandomSequences.of(3, 5, 1);
        MultiDataSet batch = new CausalLmIterator(
                        data,
                        PAD,
                        BatchPlan.of(3, 8)
                                .filling(List.of("input_ids", "attention_mask"))
                                .typed(SequenceFeature.ATTENTION_MASK, DataType.FLOAT))
                .next();
        assertThat(batch.getFeatures(0).dataType()).isEqualTo(DataType.LONG);
        assertThat(batch.getFeatures(1).dataType()).isEqualTo(DataType.FLOAT);
        assertThat(batch.getLabels(0).dataType()).isEqualTo(DataType.INT);
        assertThat(batch.getLabelsMaskArray(0).dataType()).isEqualTo(DataType.FLOAT);
        MultiDataSet narrow = new CausalLmIterator(
                        data, PAD, BatchPlan.of(3, 8).typed(SequenceFeature.INPUT_IDS, DataType.INT))
                .next();
        assertThat(narrow.getFeatures(0).dataType()).isEqualTo(DataType.INT);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void every_example_comes_once_per_epoch_and_agrees_with_a_naive_shift(long seed) {
        List<TokenSequence> data = RandomSequences.of(103, 40, seed);
        BatchPlan plan = BatchPlan.of(8, 40).shuffled(seed).bucketed(4).paddedToMultipleOf(8);
        CausalLmIterator iterator = new CausalLmIterator(data, PAD, plan);
        for (int epoch = 0; epoch < 3; epoch++) {
            TreeSet<Integer> seen = new TreeSet<>();
            while (iterator.hasNext()) {
                MultiDataSet batch = iterator.next();
                long[][] ids = batch.getFeatures(0).toLongMatrix();
                int[][] labels = batch.getLabels(0).toIntMatrix();
                float[][] mask = batch.getLabelsMaskArray(0).toFloatMatrix();
                assertThat(ids[0].length % 8).isZero();
                for (int row = 0; row < ids.length; row++) {
                    int number = labels[row][0] - 1000;
                    assertThat(seen.add(number)).isTrue();
                    assertRow(data.get(number), ids[row], labels[row], mask[row]);
                }
            }
            assertThat(seen).hasSize(103);
            iterator.reset();
        }
    }

    private static void assertRow(TokenSequence sequence, long[] ids, int[] labels, float[] mask) {
        for (int t = 0; t < ids.length; t++) {
            boolean real = t + 1 < sequence.length();
            boolean counts = real && sequence.labelled()[t + 1];
            assertThat(ids[t]).isEqualTo(real ? sequence.ids()[t] : PAD);
            assertThat(labels[t]).isEqualTo(counts ? sequence.ids()[t + 1] : 0);
            assertThat(mask[t]).isEqualTo(counts ? 1 : 0);
        }
    }

    @Test
    void the_order_depends_on_seed_and_epoch_only() {
        List<TokenSequence> data = RandomSequences.of(50, 30, 7);
        BatchPlan plan = BatchPlan.of(4, 30).shuffled(11).bucketed(3);
        CausalLmIterator one = new CausalLmIterator(data, PAD, plan);
        CausalLmIterator two = new CausalLmIterator(data, PAD, plan);
        List<List<Integer>> first = epoch(one);
        assertThat(epoch(two)).isEqualTo(first);
        one.reset();
        List<List<Integer>> second = epoch(one);
        assertThat(second).isNotEqualTo(first);
        two.reset();
        two.next(); // an epoch that is broken off still counts
        two.reset();
        two.startEpoch(1);
        assertThat(epoch(two)).isEqualTo(second);
        assertThat(epoch(new CausalLmIterator(data, PAD, plan.shuffled(12)))).isNotEqualTo(first);
    }

    @Test
    void resetting_before_anything_was_taken_changes_nothing() {
        CausalLmIterator iterator = new CausalLmIterator(
                RandomSequences.of(9, 5, 1), PAD, BatchPlan.of(2, 8).shuffled(1));
        iterator.reset();
        iterator.reset();
        assertThat(iterator.epoch()).isZero();
        iterator.next();
        iterator.reset();
        assertThat(iterator.epoch()).isEqualTo(1);
    }

    @Test
    void without_a_seed_the_given_order_is_kept() {
        CausalLmIterator iterator = new CausalLmIterator(RandomSequences.of(5, 9, 1), PAD, BatchPlan.of(2, 9));
        assertThat(epoch(iterator)).isEqualTo(List.of(List.of(1000, 1001), List.of(1002, 1003), List.of(1004)));
        iterator.reset();
        assertThat(epoch(iterator).get(0)).containsExactly(1000, 1001);
    }

    @Test
    void an_incomplete_batch_can_be_dropped() {
        BatchPlan plan = BatchPlan.of(4, 9).shuffled(3).droppingLast();
        CausalLmIterator iterator = new CausalLmIterator(RandomSequences.of(11, 9, 1), PAD, plan);
        assertThat(iterator.batchesPerEpoch()).isEqualTo(2);
        assertThat(epoch(iterator)).allMatch(batch -> batch.size() == 4);
        assertThatThrownBy(() -> new CausalLmIterator(RandomSequences.of(3, 9, 1), PAD, plan))
                .hasMessageContaining("no full batch: 3 sequences, batch size 4");
    }

    @Test
    void length_buckets_save_padding() {
        List<TokenSequence> data = RandomSequences.of(2000, 200, 5);
        BatchPlan plan = BatchPlan.of(16, 200).shuffled(1);
        double plain = new CausalLmIterator(data, PAD, plan).paddingShare();
        double bucketed = new CausalLmIterator(data, PAD, plan.bucketed(50)).paddingShare();
        assertThat(plain).isGreaterThan(0.4);
        assertThat(bucketed).isLessThan(0.03);
    }

    @Test
    void rounding_up_never_goes_beyond_the_context() {
        TokenSequence ten = TokenSequence.allLabelled(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
        BatchPlan plan = BatchPlan.of(1, 10).paddedToMultipleOf(8);
        assertThat(new CausalLmIterator(List.of(ten), PAD, plan)
                        .next()
                        .getFeatures(0)
                        .shape())
                .containsExactly(1, 10);
    }

    @Test
    void what_cannot_be_iterated_over_is_refused() {
        BatchPlan plan = BatchPlan.of(2, 4);
        assertThatThrownBy(() -> new CausalLmIterator(List.of(), PAD, plan))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("nothing to iterate over");
        assertThatThrownBy(() -> new CausalLmIterator(List.of(TokenSequence.allLabelled(1, 2, 3, 4, 5, 6)), PAD, plan))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("sequence 0 needs 5 positions, the maximum length is 4");
        assertThatThrownBy(() -> plan.filling(List.of("input_ids", "past_key_values.0.key")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`past_key_values.0.key`; known inputs are input_ids, attention_mask");
        assertThatThrownBy(() -> BatchPlan.of(0, 4)).hasMessageContaining("batch size 0");
    }

    @Test
    void the_iterator_survives_java_serialization_in_the_middle_of_an_epoch() throws Exception {
        CausalLmIterator iterator = new CausalLmIterator(
                RandomSequences.of(20, 9, 1), PAD, BatchPlan.of(3, 9).shuffled(2));
        iterator.next();
        CausalLmIterator copy = (CausalLmIterator) deserialized(serialized(iterator));
        assertThat(epoch(copy)).isEqualTo(epoch(iterator));
    }

    private static byte[] serialized(Object object) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(object);
        }
        return bytes.toByteArray();
    }

    private static Object deserialized(byte[] bytes) throws IOException, ClassNotFoundException {
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
            return in.readObject();
        }
    }
}
