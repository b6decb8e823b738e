package dev.samediff.dl4j.contract;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.method.Lora;
import dev.samediff.dl4j.AdapterTransfer;
import dev.samediff.dl4j.testing.Adapted;
import java.util.Set;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** What frozen layers do beyond being right: nothing random, nothing in place, and back again when they are merged. */
class FreezingTest {
    @BeforeAll
    static void doubles() {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    }

    @AfterAll
    static void floats() {
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }

    static Stream<Layer> random() {
        return Stream.of(
                new DenseLayer.Builder()
                        .nIn(4)
                        .nOut(4)
                        .activation(Activation.RRELU)
                        .build(),
                new ActivationLayer(Activation.RRELU),
                new DropoutLayer.Builder(0.5).build(),
                new DenseLayer.Builder().nIn(4).nOut(4).dropOut(0.5).build(),
                new LossLayer.Builder()
                        .activation(Activation.SOFTMAX)
                        .dropOut(0.5)
                        .build());
    }

    private static Example around(Layer layer) {
        return layer instanceof LossLayer
                ? Example.output(LossLayer.class, Shape.FLAT, layer::clone, () -> Example.classes(Shape.EXAMPLES, 4))
                : Example.of(layer.getClass(), Shape.FLAT, Shape.FLAT, layer::clone);
    }

    @ParameterizedTest
    @MethodSource("random")
    void what_is_random_in_training_is_left_out_above_and_comes_back_when_merged(Layer layer) {
        Example example = around(layer);
        MultiLayerNetwork original = Networks.around(example, example.layer().get());
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(original)
                .method(Lora.rank(2))
                .layers(Networks.BELOW)
                .build();
        Contract.check(original, adapted, Networks.data(example), Adapted.trainable(adapted), Set.of(), false);
        assertThat(AdapterTransfer.merge(adapted)
                        .getLayerWiseConfigurations()
                        .getConf(1)
                        .getLayer())
                .isEqualTo(original.getLayerWiseConfigurations().getConf(1).getLayer());
    }

    @Test
    void a_dropout_layer_goes_on_dropping_if_it_is_named() {
        Example example = around(new DropoutLayer.Builder(0.5).build());
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(
                        Networks.around(example, example.layer().get()))
                .method(Lora.rank(2))
                .layers(Networks.BELOW)
                .trainFully(Networks.TESTED)
                .build();
        Trial trial = new Trial(adapted, Networks.data(example));
        assertThat(trial.score(true)).isNotEqualTo(trial.score(false));
    }

    static Stream<Layer> inPlace() {
        return Stream.of(
                new PReLULayer.Builder().inputShape(4).build(),
                new ActivationLayer(Activation.SIGMOID),
                new DenseLayer.Builder().nIn(4).nOut(4).build());
    }

    /** {@code left} is read by the tested layer, by another one, and by the merging. */
    private static ComputationGraph skipping(Layer layer) {
        GraphBuilder builder = Networks.settings()
                .graphBuilder()
                .addInputs("x")
                .addLayer("left", new DenseLayer.Builder().nIn(3).nOut(4).build(), "x")
                .addLayer(Networks.TESTED, layer.clone(), "left")
                .addLayer("other", new DenseLayer.Builder().nIn(4).nOut(4).build(), "left")
                .addVertex("all", new MergeVertex(), Networks.TESTED, "other", "left")
                .addLayer(
                        Networks.OUTPUT,
                        new OutputLayer.Builder()
                                .nIn(12)
                                .nOut(3)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        "all")
                .setOutputs(Networks.OUTPUT);
        ComputationGraph graph = new ComputationGraph(builder.build());
        graph.init();
        return graph;
    }

    @ParameterizedTest
    @MethodSource("inPlace")
    void a_layer_that_computes_in_place_leaves_its_input_to_others(Layer layer) {
        MultiDataSet data = new MultiDataSet(Shape.FLAT.features(), Example.classes(Shape.EXAMPLES, 3));
        for (String place : new String[] {"left", "other", Networks.OUTPUT}) {
            ComputationGraph original = skipping(layer);
            ComputationGraph adapted = new AdapterTransfer.GraphBuilder(original)
                    .method(Lora.rank(2))
                    .layers(place)
                    .build();
            assertThat(new Trial(adapted, data).score(false))
                    .isCloseTo(new Trial(original, data).score(true), within(1e-12));
            Contract.check(original, adapted, data, Adapted.trainable(adapted), Set.of(), false);
        }
    }

    @ParameterizedTest
    @MethodSource("inPlace")
    void the_features_of_a_user_stay_as_they_are(Layer layer) {
        Layer first = layer.clone();
        first.setLayerName(Networks.TESTED);
        Layer output = OutputExamples.output();
        output.setLayerName(Networks.OUTPUT);
        MultiLayerNetwork network = new MultiLayerNetwork(Networks.settings()
                .list()
                .layer(first)
                .layer(output)
                .setInputType(InputType.feedForward(4))
                .build());
        network.init();
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(network)
                .method(Lora.rank(2))
                .layers(Networks.OUTPUT)
                .build();
        INDArray features = Nd4j.linspace(-1, 1, 12, DataType.DOUBLE).reshape(3, 4);
        INDArray before = features.dup();
        adapted.fit(features, Example.classes(3, 3));
        adapted.output(features);
        adapted.score(new org.nd4j.linalg.dataset.DataSet(features, Example.classes(3, 3)));
        assertThatBits(features).isEqualTo(before);
    }

    @Test
    void frozen_vertices_with_weights_are_not_counted_and_do_not_move() {
        VertexExample example = VertexExamples.all().stream()
                .filter(vertex -> vertex.type().getSimpleName().equals("AttentionVertex"))
                .findFirst()
                .orElseThrow();
        ComputationGraph graph = example.graph();
        AdapterTransfer.GraphBuilder transfer =
                new AdapterTransfer.GraphBuilder(graph).method(Lora.rank(1)).layers("left");
        long frozen = AdapterTransfer.trainableParameters(transfer.build());
        long inFull = AdapterTransfer.trainableParameters(
                transfer.trainFully(Networks.TESTED).build());
        assertThat(inFull - frozen).isEqualTo(graph.getVertex(Networks.TESTED).numParams());
    }

    @Test
    void an_lstm_with_a_random_activation_is_not_random_when_frozen() {
        Example example = Example.of(
                LSTM.class,
                Shape.SEQUENCE,
                Shape.SEQUENCE,
                () -> new LSTM.Builder()
                        .nIn(4)
                        .nOut(3)
                        .activation(Activation.RRELU)
                        .build());
        MultiLayerNetwork original = Networks.around(example, example.layer().get());
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(original)
                .method(Lora.rank(2))
                .layers(Networks.BELOW)
                .build();
        Contract.check(original, adapted, Networks.data(example), Adapted.trainable(adapted), Set.of(), false);
    }
}
