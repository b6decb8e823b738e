package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.testing.Adapted;
import dev.samediff.dl4j.vertex.AdaptedGraph;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.deeplearning4j.gradientcheck.GradientCheckUtil;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** A small encoder of token numbers, made by hand, as a vertex. */
class AdaptedGraphTest {
    private static final int VOCABULARY = 11;
    private static final int WIDTH = 6;
    private static final int STEPS = 4;

    @TempDir
    Path folder;

    @BeforeAll
    static void doubles() {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    }

    @AfterAll
    static void floats() {
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }

    private static INDArray random(long seed, long... shape) {
        Random random = new Random(seed);
        INDArray array = Nd4j.create(DataType.DOUBLE, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, 0.5 * random.nextGaussian());
        }
        return array;
    }

    /** hidden = tanh(mask * table[ids] W + b) [N,T,D]; pooled is its sum over time [N,D]. */
    private static SameDiff encoder() {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.LONG, -1, STEPS);
        SDVariable mask = graph.placeHolder("attention_mask", DataType.DOUBLE, -1, STEPS);
        SDVariable rows = graph.gather("rows", graph.constant("table", random(1, VOCABULARY, WIDTH)), ids, 0);
        SDVariable masked = rows.mul("masked", graph.expandDims(mask, 2));
        SDVariable flat = graph.reshape("flat", masked, -1, WIDTH);
        SDVariable first = graph.math.tanh(
                "first_out", graph.mmul("first_in", flat, graph.var("first.weight", random(2, WIDTH, WIDTH))));
        SDVariable second = graph.math.tanh(
                "second_out", graph.mmul("second_in", first, graph.var("second.weight", random(3, WIDTH, WIDTH))));
        SDVariable hidden = graph.reshape("hidden", second, -1, STEPS, WIDTH);
        hidden.sum("pooled", 1);
        return graph;
    }

    private static AdaptedModel model(String method) {
        return AdaptedModel.inject(encoder(), AdapterConfig.of(Dl4jMethods.named(method, 2)));
    }

    private static ComputationGraph network(AdaptedModel model, String output, IUpdater updater) {
        var builder = new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(updater)
                .graphBuilder()
                .addInputs("ids", "mask")
                .addVertex(
                        "encoder",
                        AdaptedGraph.of(model, updater, output, "input_ids", "attention_mask"),
                        "ids",
                        "mask");
        String top = "encoder";
        if (output.equals("hidden")) {
            top = "pooling";
            builder.addLayer(top, new GlobalPoolingLayer(), "encoder");
        }
        ComputationGraph network = new ComputationGraph(builder.addLayer(
                        "intent",
                        new OutputLayer.Builder()
                                .nIn(WIDTH)
                                .nOut(3)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        top)
                .setOutputs("intent")
                .build());
        network.init();
        return network;
    }

    private static MultiDataSet data() {
        Random random = new Random(5);
        INDArray ids = Nd4j.create(DataType.DOUBLE, 5, STEPS);
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, 5, 3);
        for (int i = 0; i < 5; i++) {
            for (int t = 0; t < STEPS; t++) {
                ids.putScalar(i, t, random.nextInt(VOCABULARY));
            }
            labels.putScalar(i, i % 3, 1);
        }
        INDArray mask = Nd4j.ones(DataType.DOUBLE, 5, STEPS);
        mask.putScalar(0, STEPS - 1, 0);
        return new MultiDataSet(new INDArray[] {ids, mask}, new INDArray[] {labels});
    }

    static Stream<String> methods() {
        return Dl4jMethods.ofGraphs().stream();
    }

    /** Without the penalty, which DL4J leaves out of the score of vertices. */
    @ParameterizedTest
    @MethodSource("methods")
    void gradients_agree_with_finite_differences(String method) {
        assumeThat(Dl4jMethods.named(method, 1).magnitude())
                .as("no gradient goes through lengths; see CompositionTest")
                .isEmpty();
        AdaptedModel model = AdaptedModel.inject(encoder(), AdapterConfig.of(Dl4jMethods.withoutPenalty(method, 2)));
        ComputationGraph network = network(model, "pooled", new Sgd(1.0));
        network.paramTable()
                .forEach((name, array) ->
                        array.addi(random(name.hashCode(), array.shape()).muli(0.3)));
        assertThat(check(network)).isTrue();
    }

    @Test
    void sequences_are_handed_on_in_dl4j_s_layout() {
        ComputationGraph network = network(model("lora"), "hidden", new Sgd(1.0));
        network.paramTable()
                .forEach((name, array) ->
                        array.addi(random(name.hashCode(), array.shape()).muli(0.3)));
        Map<String, INDArray> activations = network.feedForward(data().getFeatures(), false);
        assertThat(activations.get("encoder").shape()).containsExactly(5, WIDTH, STEPS);
        assertThat(check(network)).isTrue();
    }

    /** Vectors of a layer below enter the graph, twice in different ways; ids come through a vertex as well. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void what_lies_below_gets_its_gradient(boolean frozen) {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("ids", DataType.LONG, -1, 1);
        SDVariable vectors = graph.placeHolder("vectors", DataType.DOUBLE, -1, WIDTH);
        SDVariable scales = graph.placeHolder("scales", DataType.DOUBLE, -1, WIDTH);
        SDVariable rows = graph.gather("rows", graph.constant("table", random(1, VOCABULARY, WIDTH)), ids, 0)
                .sum(1);
        SDVariable sum = graph.math.tanh(vectors.mul(scales).add(rows));
        graph.math.tanh("out", graph.mmul(sum, graph.var("dense.weight", random(2, WIDTH, WIDTH))));
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        DenseLayer dense = new DenseLayer.Builder()
                .nIn(WIDTH)
                .nOut(WIDTH)
                .activation(Activation.TANH)
                .build();
        ComputationGraph network = new ComputationGraph(new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(1.0))
                .graphBuilder()
                .addInputs("numbers", "values")
                .addVertex("same", new SubsetVertex(0, 0), "numbers")
                .addLayer("below", frozen ? new FrozenLayer(dense) : dense, "values")
                .addVertex(
                        "encoder",
                        AdaptedGraph.of(model, new Sgd(1), "out", "ids", "vectors", "scales"),
                        "same",
                        "below",
                        "below")
                .addLayer(
                        "intent",
                        new OutputLayer.Builder()
                                .nIn(WIDTH)
                                .nOut(3)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        "encoder")
                .setOutputs("intent")
                .build());
        network.init();
        network.paramTable()
                .forEach((name, array) ->
                        array.addi(random(name.hashCode(), array.shape()).muli(0.3)));
        MultiDataSet data = data();
        INDArray[] features = {
            data.getFeatures(0)
                    .get(NDArrayIndex.all(), NDArrayIndex.interval(0, 1))
                    .dup(),
            random(7, 5, WIDTH)
        };
        Set<String> kept = frozen ? Set.of("below_W", "below_b") : Set.of();
        assertThat(GradientCheckUtil.checkGradients(new GradientCheckUtil.GraphConfig()
                        .net(network)
                        .inputs(features)
                        .labels(data.getLabels())
                        .excludeParams(kept)
                        .print(GradientCheckUtil.PrintMode.FAILURES_ONLY)))
                .isTrue();
        INDArray before = network.getLayer("below").params().dup();
        network.fit(new MultiDataSet(features, data.getLabels()));
        INDArray moved = network.getLayer("below").params().sub(before);
        assertThat(moved.norm2Number().doubleValue() == 0).isEqualTo(frozen);
    }

    private static boolean check(ComputationGraph network) {
        Set<String> none = new TreeSet<>();
        return GradientCheckUtil.checkGradients(new GradientCheckUtil.GraphConfig()
                .net(network)
                .inputs(data().getFeatures())
                .labels(data().getLabels())
                .subset(true)
                .maxPerParam(4)
                .excludeParams(none)
                .print(GradientCheckUtil.PrintMode.FAILURES_ONLY));
    }

    @Test
    void a_trained_vertex_gives_its_tensors_back_to_the_model() {
        AdaptedModel model = model("sorsa");
        ComputationGraph network = network(model, "pooled", new Sgd(0.1));
        INDArray[] inputs = data().getFeatures();
        INDArray before = network.feedForward(inputs, false).get("encoder");
        assertThat(Adapted.difference(output(encoder(), "pooled"), before)).isLessThan(1e-10);
        double score = network.score(data());
        for (int i = 0; i < 20; i++) {
            network.fit(data());
        }
        assertThat(network.score(data())).isLessThan(0.7 * score);
        model.restore(AdaptedGraph.trainables(network, "encoder"));
        INDArray after = network.feedForward(inputs, false).get("encoder");
        assertThat(Adapted.difference(output(model.graph(), "pooled"), after)).isLessThan(1e-10);
        assertThat(Adapted.difference(output(model.mergedGraph(), "pooled"), after))
                .isLessThan(1e-6);
        assertThat(Adapted.difference(before, after)).isGreaterThan(1e-2);
    }

    private static INDArray output(SameDiff graph, String name) {
        INDArray[] inputs = data().getFeatures();
        return graph.output(Map.of("input_ids", inputs[0].castTo(DataType.LONG), "attention_mask", inputs[1]), name)
                .get(name);
    }

    @Test
    void what_an_adapter_trains_whole_is_trained_in_the_vertex_too() {
        AdaptedModel model =
                AdaptedModel.inject(encoder(), AdapterConfig.of(Lora.rank(2)).withModulesToSave("second"));
        ComputationGraph network = network(model, "pooled", new Sgd(1.0));
        assertThat(check(network)).isTrue();
        network.fit(data());
        Map<String, INDArray> trained = AdaptedGraph.trainables(network, "encoder");
        assertThat(trained.keySet())
                .containsExactlyInAnyOrderElementsOf(model.trainableNames())
                .contains("second.weight");
        assertThat(Adapted.difference(random(3, WIDTH, WIDTH), trained.get("second.weight")))
                .isGreaterThan(1e-4);
        assertTakenOver(model, trained, network);
    }

    /** The model computes what the vertex does once it has the vertex' tensors. */
    private static void assertTakenOver(AdaptedModel model, Map<String, INDArray> trained, ComputationGraph network) {
        model.restore(trained);
        assertThat(Adapted.difference(
                        output(model.graph(), "pooled"),
                        network.feedForward(data().getFeatures(), false).get("encoder")))
                .isLessThan(1e-10);
    }

    @Test
    void adapters_that_do_not_act_are_refused() {
        AdaptedModel model = model("lora");
        model.disable();
        assertThatThrownBy(() -> AdaptedGraph.of(model, new Sgd(1), "pooled", "input_ids", "attention_mask"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("switched off", "enable()");
        model.enable();
        model.merge();
        assertThatThrownBy(() -> AdaptedGraph.of(model, new Sgd(1), "pooled", "input_ids", "attention_mask"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("merged", "unmerge()");
    }

    @Test
    void of_several_adapters_the_active_ones_are_trained() {
        AdaptedModel model =
                AdaptedModel.inject(encoder(), AdapterConfig.of(Lora.rank(2)).withName("one"));
        model.add(AdapterConfig.of(Sorsa.rank(2)).withName("two"));
        model.add(AdapterConfig.of(Lora.rank(3)).withName("three"));
        model.activate("one", "two");
        ComputationGraph network = network(model, "pooled", new Sgd(0.1));
        INDArray before = network.feedForward(data().getFeatures(), false).get("encoder");
        assertThat(Adapted.difference(output(encoder(), "pooled"), before)).isLessThan(1e-10);
        for (int i = 0; i < 5; i++) {
            network.fit(data());
        }
        Map<String, INDArray> trained = AdaptedGraph.trainables(network, "encoder");
        assertThat(trained.keySet()).containsExactlyInAnyOrderElementsOf(model.trainableNames());
        assertTakenOver(model, trained, network);
    }

    @Test
    void the_penalty_acts_on_the_vectors() {
        AdaptedModel model =
                AdaptedModel.inject(encoder(), AdapterConfig.of(Sorsa.rank(2).withGamma(0.02)));
        ComputationGraph network = network(model, "pooled", new Sgd(0.1));
        INDArray u = network.paramTable().get("encoder_t0.sorsaA");
        u.muli(1.5);
        for (int i = 0; i < 30; i++) {
            network.fit(data());
        }
        assertThat(Adapted.difference(
                        Nd4j.eye(2).castTo(DataType.DOUBLE), u.transpose().mmul(u)))
                .isLessThan(0.1);
    }

    @Test
    void files_of_the_network_are_complete() throws IOException {
        ComputationGraph network = network(model("pissa"), "pooled", new Sgd(0.1));
        network.fit(data());
        File file = folder.resolve("network.zip").toFile();
        network.save(file, true);
        ComputationGraph loaded = ComputationGraph.load(file, true);
        assertThatBits(loaded.outputSingle(data().getFeatures())).isEqualTo(network.outputSingle(data().getFeatures()));
        network.fit(data());
        loaded.fit(data());
        assertThatBits(loaded.params()).isEqualTo(network.params());
        assertThat(ComputationGraphConfiguration.fromJson(
                        network.getConfiguration().toJson()))
                .isEqualTo(network.getConfiguration());
        assertThatBits(network.clone().outputSingle(data().getFeatures()))
                .isEqualTo(network.outputSingle(data().getFeatures()));
    }

    @Test
    void names_the_graph_does_not_have_are_refused_with_those_it_has() {
        AdaptedModel model = AdaptedModel.inject(encoder(), AdapterConfig.of(Lora.rank(2)));
        assertThatThrownBy(() -> AdaptedGraph.of(model, new Sgd(1), "pooler", "input_ids"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`pooler`", "pooled");
        assertThatThrownBy(() -> AdaptedGraph.of(model, new Sgd(1), "pooled", "ids"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`ids`", "input_ids", "attention_mask");
        assertThatThrownBy(() -> AdaptedGraph.trainables(network(model, "pooled", new Sgd(1)), "intent"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`intent`", "encoder");
    }
}
