package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import dev.samediff.adapters.train.loss.Losses;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.NoOp;

/** {@code SameDiff.evaluate} with DL4J's evaluations goes over this library's iterators. */
class SameDiffEvaluateTest {
    private static final int CLASSES = 4;

    private final CharTokenizer letters = CharTokenizer.ofText("abcd");

    private List<LabelledText> texts() {
        Random random = new Random(1);
        List<LabelledText> texts = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            int letter = random.nextInt(CLASSES);
            int label = random.nextInt(3) == 0 ? random.nextInt(CLASSES) : letter;
            texts.add(new LabelledText(String.valueOf((char) ('a' + letter)).repeat(1 + random.nextInt(5)), label));
        }
        return texts;
    }

    /** Counts letters: logits [B,4]. */
    private SameDiff graph() {
        SameDiff graph = SameDiff.create();
        int vocabulary = letters.vocabularySize();
        INDArray table = Nd4j.zeros(DataType.FLOAT, vocabulary, CLASSES);
        for (int c = 0; c < CLASSES; c++) {
            table.putScalar(letters.encode(String.valueOf((char) ('a' + c)))[0], c, 1);
        }
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
        SDVariable mask = graph.placeHolder("attention_mask", DataType.INT64, -1, -1);
        SDVariable counted =
                graph.gather(graph.constant(table), ids, 0).mul(graph.expandDims(mask.castTo(DataType.FLOAT), 2));
        counted.sum("logits", 1);
        return graph;
    }

    private ClassificationIterator iterator() {
        BatchPlan plan = BatchPlan.of(7, 8).shuffled(2).filling(List.of("input_ids", "attention_mask"));
        return new ClassificationIterator(texts(), letters, plan);
    }

    /** "Unknown array type passed to evaluation: labels array rank 1" */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_classifier_is_evaluated_with_one_hot_labels(boolean withLoss) {
        SameDiff graph = graph();
        if (withLoss) {
            Losses.classification(graph, "logits");
        }
        graph.setTrainingConfig(new TrainingConfig.Builder()
                .updater(new NoOp())
                .dataSetFeatureMapping("input_ids", "attention_mask")
                .markLabelsUnused()
                .build());
        Evaluation evaluation = new Evaluation(CLASSES);
        graph.evaluate(iterator().withOneHotLabels(CLASSES), "logits", 0, evaluation);
        int right = 0;
        ClassificationIterator indices = iterator();
        while (indices.hasNext()) {
            MultiDataSet batch = indices.next();
            INDArray chosen = graph.output(
                            Map.of("input_ids", batch.getFeatures(0), "attention_mask", batch.getFeatures(1)), "logits")
                    .get("logits")
                    .argMax(1);
            for (int i = 0; i < chosen.length(); i++) {
                right += chosen.getInt(i) == batch.getLabels(0).getInt(i) ? 1 : 0;
            }
        }
        assertThat(evaluation.accuracy()).isCloseTo(right / 50.0, within(1e-9)).isBetween(0.5, 0.99);
        assertThat(evaluation.getNumRowCounter()).isEqualTo(50);
    }

    @Test
    void one_hot_labels_are_a_new_iterator_and_the_classes_must_be_enough() {
        ClassificationIterator indices = iterator();
        indices.next();
        ClassificationIterator oneHot = indices.withOneHotLabels(6);
        assertThat(oneHot.epoch()).isZero();
        assertThat(oneHot.batchesPerEpoch()).isEqualTo(indices.batchesPerEpoch());
        assertThat(oneHot.next().getLabels(0).shape()).containsExactly(7, 6);
        assertThat(indices.next().getLabels(0).shape()).containsExactly(7);
        assertThatThrownBy(() -> indices.withOneHotLabels(2))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("is of class ", "with 2 classes allowed is 0 to 1");
    }
}
