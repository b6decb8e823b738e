package dev.samediff.adapters.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.GraphLogits;
import dev.samediff.adapters.text.generation.Sampler;
import dev.samediff.adapters.text.generation.TextGenerator;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TextCompleterTest {
    private static final CharTokenizer LETTERS = CharTokenizer.ofText("abcdefghijklmnopqrstuvwxyz");
    private static final List<String> PROMPTS =
            List.of("abc", "q", "thequickbrownfox", "mno", "zz", "jumps", "over", "thelazydog", "x");
    private static final GenerationPlan PLAN = GenerationPlan.greedy(12, 40);
    private static final String LOGITS = "logits";

    private final SameDiff graph = decoder();
    private final AdapterState state = adapter();

    /** A causal decoder of token ids alone: the mean over all tokens before, and a layer. */
    private static SameDiff decoder() {
        int width = 16;
        int vocabulary = LETTERS.vocabularySize();
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
        SDVariable embedded = graph.gather(graph.constant("embedding.weight", normal(1, vocabulary, width)), ids, 0);
        SDVariable length = graph.sizeAt(ids, 1).castTo(DataType.INT64);
        SDVariable places = graph.range(
                        graph.constant(Nd4j.scalar(DataType.INT64, 0)),
                        length,
                        graph.constant(Nd4j.scalar(DataType.INT64, 1)),
                        DataType.INT32)
                .castTo(DataType.FLOAT);
        SDVariable before = graph.lte(graph.expandDims(places, 0), graph.expandDims(places, 1))
                .castTo(DataType.FLOAT);
        SDVariable scores = graph.expandDims(before.sub(1).mul(1e9), 0)
                .add(graph.mmul(embedded, embedded, false, true, false).mul(0.25));
        SDVariable mixed = embedded.add(graph.mmul(graph.nn.softmax(scores, 2), embedded));
        SDVariable rows = graph.reshape(mixed, -1, width);
        SDVariable hidden = graph.math.tanh(graph.mmul(rows, graph.var("dense.weight", normal(0.6, width, width))));
        SDVariable out = graph.mmul(hidden, graph.var("lm_head.weight", normal(1, width, vocabulary)));
        SDVariable shape = graph.stack(
                0,
                graph.sizeAt(ids, 0).castTo(DataType.INT64),
                length,
                graph.constant(Nd4j.scalar(DataType.INT64, vocabulary)));
        graph.reshape(out, shape).rename(LOGITS);
        return graph;
    }

    private static INDArray normal(double scale, long... shape) {
        Random random = new Random(shape[1]);
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, scale * random.nextGaussian());
        }
        return array;
    }

    private AdapterState adapter() {
        AdaptedModel model = AdaptedModel.inject(SharingCopy.of(graph), AdapterConfig.of(Pissa.rank(3)));
        Map<String, INDArray> values = model.trainables();
        Random random = new Random(8);
        values.values().forEach(array -> {
            for (long i = 0; i < array.length(); i++) {
                array.putScalar(i, array.getFloat(i) + 0.5 * random.nextGaussian());
            }
        });
        model.restore(values);
        return model.state();
    }

    private static List<Generation> expected(SameDiff of, GenerationPlan plan) {
        return new TextGenerator(new GraphLogits(of, List.of("input_ids"), LOGITS), LETTERS, plan).generate(PROMPTS);
    }

    @Test
    void texts_are_those_of_the_generator_whatever_the_batches_and_the_adapter() {
        SameDiff adapted =
                AdaptedModel.inject(SharingCopy.of(graph), Map.of(), state).graph();
        try (ModelPool pool =
                ModelPool.open(graph, Map.of(), PoolOptions.defaults().withWorkers(3))) {
            pool.put("other", state);
            for (GenerationPlan plan : List.of(PLAN, PLAN.sampled(Sampler.nucleus(0.9, 0, 0.95), 3))) {
                List<Generation> base = expected(graph, plan);
                List<Generation> changed = expected(adapted, plan);
                assertThat(changed).isNotEqualTo(base);
                for (int batch : new int[] {1, 4, 9}) {
                    TextCompleter completer = TextCompleter.of(pool, LETTERS, plan.batched(batch), LOGITS);
                    assertThat(completer.predict(PROMPTS)).isEqualTo(base);
                    assertThat(completer.withAdapter("other").predict(PROMPTS)).isEqualTo(changed);
                    assertThat(completer.predict(PROMPTS)).isEqualTo(base);
                }
            }
        }
    }

    @Test
    void outputs_that_are_not_there_are_refused() {
        try (ModelPool pool = ModelPool.open(graph, Map.of(), PoolOptions.defaults())) {
            assertThatThrownBy(() -> TextCompleter.of(pool, LETTERS, PLAN, "scores"))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining(LOGITS);
            assertThatThrownBy(() -> TextCompleter.of(pool, LETTERS, PLAN, "dense.weight")
                            .predict("a"))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("does not depend on token ids");
        }
    }
}
