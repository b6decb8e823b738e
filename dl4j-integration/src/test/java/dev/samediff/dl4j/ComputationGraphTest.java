package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.testing.Adapted;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.gradientcheck.GradientCheckUtil;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Graphs with several inputs and outputs. */
class ComputationGraphTest {
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

    private static DenseLayer dense(int in, int out) {
        return new DenseLayer.Builder()
                .nIn(in)
                .nOut(out)
                .activation(Activation.TANH)
                .build();
    }

    /** Two inputs, a skip connection, a frozen normalisation in the middle, two outputs; one of them of one number. */
    private static ComputationGraph graph() {
        ComputationGraphConfiguration conf = new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(1.0))
                .graphBuilder()
                .addInputs("a", "b")
                .addLayer("left_1", dense(4, 6), "a")
                .addLayer("right", dense(3, 6), "b")
                .addVertex("both", new MergeVertex(), "left_1", "right")
                .addLayer("middle", dense(12, 6), "both")
                .addLayer(
                        "norm", new BatchNormalization.Builder().nIn(6).nOut(6).build(), "middle")
                .addVertex("skip", new ElementWiseVertex(ElementWiseVertex.Op.Add), "norm", "left_1")
                .addLayer(
                        "class",
                        new OutputLayer.Builder()
                                .nIn(6)
                                .nOut(3)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        "skip")
                .addLayer(
                        "number",
                        new OutputLayer.Builder(LossFunction.MSE)
                                .nIn(6)
                                .nOut(1)
                                .activation(Activation.IDENTITY)
                                .build(),
                        "skip")
                .setOutputs("class", "number")
                .build();
        ComputationGraph graph = new ComputationGraph(conf);
        graph.init();
        graph.fit(data());
        return graph;
    }

    private static MultiDataSet data() {
        Random random = new Random(6);
        INDArray[] arrays = new INDArray[4];
        int[] widths = {4, 3, 3, 1};
        for (int i = 0; i < 4; i++) {
            arrays[i] = Nd4j.create(DataType.DOUBLE, 5, widths[i]);
            for (long j = 0; j < arrays[i].length(); j++) {
                arrays[i].putScalar(j, random.nextGaussian());
            }
        }
        arrays[2].assign(0);
        for (int i = 0; i < 5; i++) {
            arrays[2].putScalar(i, i % 3, 1);
        }
        return new MultiDataSet(new INDArray[] {arrays[0], arrays[1]}, new INDArray[] {arrays[2], arrays[3]});
    }

    static Stream<String> methods() {
        return Dl4jMethods.ofLayers().stream();
    }

    private static void check(ComputationGraph adapted) {
        Adapted.disturb(adapted, 0.1);
        MultiDataSet data = data();
        assertThat(GradientCheckUtil.checkGradients(new GradientCheckUtil.GraphConfig()
                        .net(adapted)
                        .inputs(data.getFeatures())
                        .labels(data.getLabels())
                        .excludeParams(Adapted.frozen(adapted))
                        .print(GradientCheckUtil.PrintMode.FAILURES_ONLY)))
                .isTrue();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void gradients_agree_with_finite_differences(String method) {
        assumeThat(Dl4jMethods.named(method, 1).magnitude())
                .as("no gradient goes through lengths; see CompositionTest")
                .isEmpty();
        check(new AdapterTransfer.GraphBuilder(graph())
                .method(Dl4jMethods.named(method, 1))
                .peakLearningRate(0.1)
                .build());
    }

    @Test
    void gradients_pass_frozen_layers_and_a_frozen_normalisation() {
        check(new AdapterTransfer.GraphBuilder(graph())
                .method(Lora.rank(2))
                .layers("left_1")
                .build());
        check(new AdapterTransfer.GraphBuilder(graph())
                .method(Lora.rank(2))
                .layers("middle")
                .build());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void outputs_are_the_original_s_until_training_and_merging_keeps_the_trained_ones(String method) {
        ComputationGraph original = graph();
        INDArray[] inputs = data().getFeatures();
        ComputationGraph adapted = new AdapterTransfer.GraphBuilder(original)
                .method(Dl4jMethods.named(method, 2))
                .layers("left_1", "right", "middle", "class")
                .build();
        for (int i = 0; i < 2; i++) {
            assertThat(Adapted.difference(original.output(inputs)[i], adapted.output(inputs)[i]))
                    .isLessThan(1e-12);
        }
        adapted.fit(data());
        ComputationGraph merged = AdapterTransfer.merge(adapted);
        for (int i = 0; i < 2; i++) {
            assertThat(Adapted.difference(original.output(inputs)[i], adapted.output(inputs)[i]))
                    .isGreaterThan(1e-4);
            assertThat(Adapted.difference(merged.output(inputs)[i], adapted.output(inputs)[i]))
                    .isLessThan(1e-12);
        }
        assertThat(merged.getConfiguration().toJson()).doesNotContain("samediff.dl4j");
        assertThatBits(AdapterTransfer.unload(adapted).params()).isEqualTo(original.params());
    }

    @Test
    void a_saved_graph_goes_on_training_as_if_nothing_had_happened() throws IOException {
        ComputationGraph adapted = new AdapterTransfer.GraphBuilder(graph())
                .method(Sorsa.rank(2))
                .layers("left_1", "middle")
                .build();
        File file = folder.resolve("graph.zip").toFile();
        adapted.save(file, true);
        ComputationGraph loaded = ComputationGraph.load(file, true);
        adapted.fit(data());
        loaded.fit(data());
        assertThatBits(loaded.params()).isEqualTo(adapted.params());
        assertThat(ComputationGraphConfiguration.fromJson(
                        adapted.getConfiguration().toJson()))
                .isEqualTo(adapted.getConfiguration());
    }

    @Test
    void names_with_the_separator_of_parameters_are_no_trouble() {
        ComputationGraph adapted = new AdapterTransfer.GraphBuilder(graph())
                .method(Lora.rank(2))
                .layers("left_1")
                .build();
        assertThat(adapted.getParam("left_1_W.loraA").shape()).containsExactly(4, 2);
    }

    @Test
    void vertices_are_refused_with_the_layers_that_exist() {
        assertThatThrownBy(() ->
                        new AdapterTransfer.GraphBuilder(graph()).layers("both").build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`both`", "left_1", "right", "middle", "norm", "class", "number");
        assertThatThrownBy(() ->
                        new AdapterTransfer.GraphBuilder(graph()).layers("norm").build())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`norm`", "BatchNormalization", "DenseLayer");
    }
}
