package dev.samediff.adapters.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Data of other shapes and kinds than the graph and the loss take is refused by name before a step is made. */
class BatchRefusalsTest extends TinyTraining {
    private static final int CLASSES = 7;

    /** A classifier of the mean embedding of texts: ids [B,T] and weights of tokens [B,T,1] to logits [B,7]. */
    private static SameDiff classifier() {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, 5);
        SDVariable weights = graph.placeHolder("weights", DataType.FLOAT, -1, 5, 1);
        SDVariable table = graph.constant("table", Nd4j.rand(DataType.FLOAT, 11, 4));
        SDVariable pooled = graph.gather(table, ids, 0).mul(weights).mean(1);
        pooled.mmul("logits", graph.var("w", Nd4j.rand(DataType.FLOAT, 4, CLASSES)));
        return graph;
    }

    private static INDArray ids() {
        return Nd4j.ones(DataType.INT64, 2, 5);
    }

    private static INDArray weights() {
        return Nd4j.ones(DataType.FLOAT, 2, 5, 1);
    }

    private static INDArray classes() {
        return Nd4j.createFromArray(1, 2);
    }

    private static MultiDataSet batch(@Nullable INDArray labels, @Nullable INDArray mask, INDArray... features) {
        return new MultiDataSet(
                features,
                labels == null ? null : new INDArray[] {labels},
                null,
                mask == null ? null : new INDArray[] {mask});
    }

    static Stream<Arguments> batches() {
        INDArray oneHot = Nd4j.zeros(DataType.FLOAT, 2, CLASSES);
        INDArray nothing = Nd4j.ones(2);
        nothing.close();
        return Stream.of(
                Arguments.of(
                        "one-hot labels",
                        batch(oneHot, null, ids(), weights()),
                        List.of("the label array", "FLOAT [2, 7]", "`labels` takes INT [-1]", "argMax")),
                Arguments.of(
                        "one-hot labels of whole numbers",
                        batch(oneHot.castTo(DataType.INT), null, ids(), weights()),
                        List.of("INT [2, 7]", "argMax")),
                Arguments.of(
                        "a column of labels",
                        batch(classes().reshape(2, 1), null, ids(), weights()),
                        List.of("INT [2, 1]", "`labels` takes INT [-1]")),
                Arguments.of(
                        "labels as fractions",
                        batch(classes().castTo(DataType.FLOAT), null, ids(), weights()),
                        List.of("FLOAT [2]", "castTo(DataType.INT)")),
                Arguments.of(
                        "too many labels",
                        batch(Nd4j.createFromArray(1, 2, 3), null, ids(), weights()),
                        List.of("`labels` is [3], expected [2]", "`logits` are [2, 7]")),
                Arguments.of(
                        "a class that does not exist",
                        batch(Nd4j.createFromArray(1, 7), null, ids(), weights()),
                        List.of("the label at position [1]", "is 7, allowed is 0 to 6")),
                Arguments.of(
                        "float ids",
                        batch(classes(), null, ids().castTo(DataType.FLOAT), weights()),
                        List.of(
                                "feature array 0",
                                "FLOAT [2, 5]",
                                "`input_ids` takes LONG [-1, 5]",
                                "castTo(DataType.LONG)")),
                Arguments.of(
                        "ids of another length",
                        batch(classes(), null, Nd4j.ones(DataType.INT64, 2, 6), weights()),
                        List.of("feature array 0", "LONG [2, 6]", "`input_ids` takes LONG [-1, 5]")),
                Arguments.of(
                        "weights without their last axis",
                        batch(classes(), null, ids(), Nd4j.ones(DataType.FLOAT, 2, 5)),
                        List.of("feature array 1", "FLOAT [2, 5]", "`weights` takes FLOAT [-1, 5, 1]")),
                Arguments.of(
                        "one array too few",
                        batch(classes(), null, ids()),
                        List.of("1 feature arrays", "the binding names 2: [input_ids, weights]")),
                Arguments.of("no labels", batch(null, null, ids(), weights()), List.of("one array of labels", "has 0")),
                Arguments.of(
                        "a mask of the classes",
                        batch(classes(), Nd4j.ones(DataType.FLOAT, 2, 7), ids(), weights()),
                        List.of("the label mask", "FLOAT [2, 7]", "`label_mask` takes FLOAT [-1]")),
                Arguments.of(
                        "a mask of other labels",
                        batch(classes(), Nd4j.ones(DataType.FLOAT, 3), ids(), weights()),
                        List.of("`label_mask` is [3], expected [2]")),
                Arguments.of(
                        "a negative mask",
                        batch(classes(), Nd4j.createFromArray(1f, -1f), ids(), weights()),
                        List.of("`label_mask` is -1.0 at position [1]")),
                Arguments.of(
                        "a mask that is not a number",
                        batch(classes(), Nd4j.createFromArray(Float.NaN, Float.NaN), ids(), weights()),
                        List.of("`label_mask` is NaN at position [0]")),
                Arguments.of(
                        "closed features",
                        batch(classes(), null, ids(), nothing),
                        List.of("no array for the placeholder `weights`: it is closed")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("batches")
    void data_that_does_not_fit(String name, MultiDataSet batch, List<String> parts) {
        for (EngineOptions options : List.of(EngineOptions.defaults(), EngineOptions.reference())) {
            SameDiff graph = classifier();
            TaskLoss task = Losses.classification(graph, "logits");
            Batches data = new Batches();
            data.list.add(batch);
            TrainingPlan plan = TrainingPlan.builder().steps(1).engine(options).build();
            try (AdapterTrainer trainer = new AdapterTrainer(
                    Trainable.of(graph, List.of("w")), task, plan, Binding.of(task, "input_ids", "weights"))) {
                var refusal =
                        assertThatThrownBy(() -> trainer.fit(data, null)).isInstanceOf(InvalidInputException.class);
                parts.forEach(refusal::hasMessageContaining);
                var evaluation =
                        assertThatThrownBy(() -> trainer.evaluate(data)).isInstanceOf(InvalidInputException.class);
                parts.forEach(evaluation::hasMessageContaining);
                data.list.set(
                        0,
                        batch(
                                classes(),
                                null,
                                ids().castTo(DataType.INT),
                                weights().castTo(DataType.DOUBLE)));
                assertThat(trainer.fit(data, null).steps()).isEqualTo(1);
            }
        }
    }

    /** It ended in "Op with name size_at ... Dim can't be higher then input rank". */
    @Test
    void a_language_model_s_loss_on_scores_of_classes() {
        for (EngineOptions options : List.of(EngineOptions.defaults(), EngineOptions.reference())) {
            SameDiff graph = classifier();
            TaskLoss task = Losses.causalLm(graph, "logits");
            TrainingPlan plan = TrainingPlan.builder().steps(1).engine(options).build();
            Batches data = new Batches();
            data.list.add(batch(Nd4j.ones(DataType.INT, 2, 5), null, ids(), weights()));
            try (AdapterTrainer trainer = new AdapterTrainer(
                    Trainable.of(graph, List.of("w")), task, plan, Binding.of(task, "input_ids", "weights"))) {
                assertThatThrownBy(() -> trainer.fit(data, null))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContainingAll(
                                "the scores `logits` are [2, 7]", "takes 3 axes", "Losses.classification");
            }
        }
    }

    @Test
    void a_classifier_s_loss_on_scores_of_tokens() {
        for (EngineOptions options : List.of(EngineOptions.defaults(), EngineOptions.reference())) {
            TinyGpt model = new TinyGpt(16, 1, 2, 11, 3);
            TaskLoss task = Losses.classification(model.graph, "logits");
            TrainingPlan plan = TrainingPlan.builder().steps(1).engine(options).build();
            Batches data = Batches.of(model, 1, 2, 4);
            data.list.get(0).setLabels(new INDArray[] {classes()});
            data.list.get(0).setLabelsMaskArray(null);
            try (AdapterTrainer trainer = new AdapterTrainer(
                    Trainable.of(model.graph, model.trainables), task, plan, Binding.of(task, "input_ids", "causal"))) {
                assertThatThrownBy(() -> trainer.fit(data, null))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContainingAll(
                                "the scores `logits` are [2, 4, 11]", "takes 2 axes", "Losses.causalLm");
            }
        }
    }

    @Test
    void bindings_that_leave_out_or_repeat_a_placeholder() {
        SameDiff graph = classifier();
        graph.placeHolder("unused", DataType.FLOAT, -1);
        TaskLoss task = Losses.classification(graph, "logits");
        List<Binding> bindings = new ArrayList<>();
        bindings.add(Binding.of(task, "input_ids"));
        bindings.add(Binding.of(task, "weights"));
        bindings.add(Binding.of(task, "input_ids", "weights", "input_ids"));
        bindings.add(Binding.of(task, "ids", "weights"));
        bindings.add(Binding.of(task, "table", "weights"));
        bindings.add(new Binding(List.of("input_ids", "weights"), "unused", task.mask()));
        List<String> parts = List.of(
                "needs the placeholders weights",
                "needs the placeholders input_ids",
                "`input_ids` twice",
                "`ids` is no placeholder of the graph; its placeholders are",
                "`table` is no placeholder",
                "needs the placeholders labels");
        for (int i = 0; i < parts.size(); i++) {
            Binding binding = bindings.get(i);
            assertThatThrownBy(
                            () -> new AdapterTrainer(Trainable.of(graph, List.of("w")), task, plan(1).build(), binding))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining(parts.get(i));
        }
        new AdapterTrainer(
                        Trainable.of(graph, List.of("w")),
                        task,
                        plan(1).build(),
                        Binding.of(task, "weights", "input_ids", "unused"))
                .close();
    }

    /** "its outputs are null" */
    @Test
    void an_output_that_does_not_exist_is_answered_with_those_that_do() {
        SameDiff graph = classifier();
        assertThatThrownBy(() -> Losses.classification(graph, "nope"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("there are no logits `nope` in this graph; its outputs are logits");
        assertThatThrownBy(() -> new AdapterTrainer(
                                Trainable.of(graph, List.of("w")),
                                new TaskLoss("nope", "input_ids", "weights"),
                                plan(1).build(),
                                new Binding(List.of(), "input_ids", "weights"))
                        .fit(new Batches(), null))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("its outputs are logits");
    }
}
