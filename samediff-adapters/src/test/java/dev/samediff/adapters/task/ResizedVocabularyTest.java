package dev.samediff.adapters.task;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class ResizedVocabularyTest {
    private static final int BEFORE = 7;
    private static final int AFTER = 9;
    private static final int WIDTH = 4;

    @TempDir
    Path folder;

    /** How a model scores its tokens. */
    enum Head {
        /** By the table itself. */
        TIED,
        /** By a layer that holds the table's numbers, as exporters write it. */
        COPIED,
        /** By a layer of its own with a bias. */
        OWN
    }

    private static INDArray numbers(long seed, long... shape) {
        Random random = new Random(seed);
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, random.nextGaussian());
        }
        return array;
    }

    private static SameDiff model(Head head) {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
        INDArray numbers = numbers(1, BEFORE, WIDTH);
        SDVariable table = graph.constant("wte.weight", numbers);
        SDVariable rows = graph.reshape(graph.gather(table, ids, 0), -1, WIDTH);
        SDVariable hidden = graph.math.tanh(graph.mmul(rows, graph.var("dense.weight", numbers(2, WIDTH, WIDTH))));
        SDVariable scores = switch (head) {
            case TIED -> graph.mmul(hidden, table, false, true, false);
            case COPIED ->
                graph.mmul(
                        hidden,
                        graph.constant("lm_head.weight", numbers.transpose().dup('c')));
            case OWN ->
                graph.mmul(hidden, graph.constant("lm_head.weight", numbers(3, WIDTH, BEFORE)))
                        .add(graph.constant("lm_head.bias", numbers(4, BEFORE)));
        };
        SDVariable shape = graph.stack(
                0,
                graph.sizeAt(ids, 0).castTo(DataType.INT64),
                graph.sizeAt(ids, 1).castTo(DataType.INT64),
                graph.sizeAt(scores, 1).castTo(DataType.INT64));
        graph.reshape(scores, shape).rename("logits");
        return graph;
    }

    private static INDArray logits(SameDiff graph, long... ids) {
        return graph.outputSingle(Map.of("input_ids", Nd4j.createFromArray(new long[][] {ids})), "logits");
    }

    @ParameterizedTest
    @EnumSource(Head.class)
    void old_tokens_keep_their_scores_and_new_ones_start_from_the_mean(Head head) {
        SameDiff graph = model(head);
        INDArray before = logits(graph, 0, 3, 6);
        INDArray table = graph.getVariable("wte.weight").getArr();
        INDArray unchanged = table.dup();
        ResizedVocabulary resized = ResizedVocabulary.of(graph, Map.of(), AFTER);
        assertThat(resized.added()).containsExactly(7, 8);
        assertThat(resized.variables()).hasSize(head == Head.TIED ? 1 : head == Head.COPIED ? 2 : 3);
        INDArray after = logits(graph, 0, 3, 6);
        assertThat(after.shape()).containsExactly(1, 3, AFTER);
        assertThatBits(after.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, BEFORE)))
                .isEqualTo(before);
        INDArray mean = before.mean(2);
        for (int token = BEFORE; token < AFTER; token++) {
            INDArray of = after.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(token));
            assertThat(of.sub(mean.reshape(of.shape())).amaxNumber().doubleValue())
                    .isLessThan(1e-5);
        }
        assertThat(logits(graph, 8).shape()).containsExactly(1, 1, AFTER);
        assertThatBits(table).isEqualTo(unchanged);
        if (head == Head.COPIED) {
            assertThatBits(graph.getVariable("lm_head.weight").getArr().transpose())
                    .isEqualTo(graph.getVariable("wte.weight").getArr());
        }
    }

    private static TrainingResult train(AdaptedModel model) {
        TaskLoss loss = Losses.causalLm(model.graph(), "logits");
        TrainingPlan plan = TrainingPlan.builder().steps(40).learningRate(5e-2).build();
        MultiDataSet batch = new MultiDataSet(
                new INDArray[] {Nd4j.createFromArray(new long[][] {{1, 7, 2, 8}})},
                new INDArray[] {Nd4j.createFromArray(new int[][] {{7, 2, 8, 3}})},
                null,
                new INDArray[] {Nd4j.ones(DataType.FLOAT, 1, 4)});
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids"))) {
            return trainer.fit(new SingletonMultiDataSetIterator(batch), null);
        }
    }

    @ParameterizedTest
    @EnumSource(Head.class)
    void new_tokens_are_trained_saved_loaded_and_merged(Head head) throws IOException {
        SameDiff graph = model(head);
        ResizedVocabulary resized = ResizedVocabulary.of(graph, Map.of(), AFTER);
        AdaptedModel model =
                AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)).withTrainableTokens(resized.added()));
        TrainingResult result = train(model);
        assertThat(result.finalLoss()).isLessThan(0.7 * result.losses().get(0));
        INDArray trained = logits(graph, 1, 7, 8);
        AdapterFolder.save(model.state(), folder.resolve("adapter"));
        AdapterState loaded = AdapterFolder.load(folder.resolve("adapter"));

        SameDiff again = model(head);
        assertThatThrownBy(() -> AdaptedModel.inject(again, Map.of(), loaded))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("trained token 7")
                .hasMessageContaining("ResizedVocabulary");
        ResizedVocabulary.of(again, Map.of(), AFTER);
        AdaptedModel restored = AdaptedModel.inject(again, Map.of(), loaded);
        assertThatBits(logits(again, 1, 7, 8)).isEqualTo(trained);
        restored.merge();
        INDArray merged = logits(again, 1, 7, 8);
        assertThat(merged.sub(trained).amaxNumber().doubleValue()).isLessThan(1e-5);
        assertThat(restored.mergedWeights().get("wte.weight").size(0)).isEqualTo(AFTER);
    }

    @Test
    void tokens_lie_in_the_table_that_they_look_up_though_positions_have_more_rows() {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
        SDVariable positions = graph.placeHolder("position_ids", DataType.INT64, -1, -1);
        SDVariable tokens = graph.gather(graph.constant("wte.weight", numbers(1, BEFORE, WIDTH)), ids, 0);
        SDVariable places = graph.gather(graph.constant("wpe.weight", numbers(2, 20, WIDTH)), positions, 0);
        SDVariable rows = graph.reshape(tokens.add(places), -1, WIDTH);
        graph.mmul(rows, graph.var("dense.weight", numbers(3, WIDTH, WIDTH))).rename("features");
        ResizedVocabulary resized = ResizedVocabulary.of(graph, Map.of(), AFTER);
        assertThat(resized.module()).isEqualTo("wte");
        AdaptedModel model =
                AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)).withTrainableTokens(resized.added()));
        assertThat(model.state().whole()).singleElement().satisfies(whole -> {
            assertThat(whole.module()).isEqualTo("wte");
            assertThat(whole.rows()).containsExactly(7, 8);
        });
    }

    @Test
    void what_cannot_be_resized_is_refused_and_nothing_is_changed() {
        SameDiff fixed = model(Head.OWN);
        fixed.reshape("flat", fixed.getVariable("logits"), -1, BEFORE);
        INDArray before = logits(fixed, 1);
        assertThatThrownBy(() -> ResizedVocabulary.of(fixed, Map.of(), AFTER))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("cannot be resized: the op `");
        assertThatBits(logits(fixed, 1)).isEqualTo(before);

        SameDiff graph = model(Head.TIED);
        assertThatThrownBy(() -> ResizedVocabulary.of(graph, Map.of(), 6))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("has 7 tokens, it cannot be cut to 6");
        assertThat(ResizedVocabulary.of(graph, Map.of(), BEFORE).added()).isEmpty();
        AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        assertThatThrownBy(() -> ResizedVocabulary.of(graph, Map.of(), AFTER))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("has adapters already");
        assertThatThrownBy(() -> ResizedVocabulary.of(SameDiff.create(), Map.of(), AFTER))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no embedding");
    }
}
