package dev.samediff.dl4j.contract;

import java.util.List;
import java.util.function.Consumer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * A vertex of one class between one or two layers and an output layer.
 *
 * @param type the class of DL4J
 * @param in what goes in
 * @param out what comes out
 * @param width features that come out
 * @param below the layers below, on one input
 * @param vertex adds a vertex called {@code tested} to the graph
 */
record VertexExample(Class<?> type, Shape in, Shape out, int width, List<String> below, Consumer<GraphBuilder> vertex) {
    static final String LEFT = "left";
    static final String RIGHT = "right";

    /** Returns the graph with random weights. */
    ComputationGraph graph() {
        GraphBuilder builder = Networks.settings().graphBuilder().addInputs("x");
        below.forEach(name -> builder.addLayer(name, layer(), "x"));
        vertex.accept(builder);
        String last = Networks.TESTED;
        if (out != Shape.FLAT) {
            builder.addLayer("pooling", new GlobalPoolingLayer.Builder(PoolingType.AVG).build(), last);
            last = "pooling";
        }
        Layer output = new OutputLayer.Builder()
                .nIn(width)
                .nOut(Shape.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
        builder.addLayer(Networks.OUTPUT, output, last).setOutputs(Networks.OUTPUT);
        ComputationGraph graph = new ComputationGraph(builder.build());
        graph.init();
        return graph;
    }

    private Layer layer() {
        return switch (in) {
            case SEQUENCE -> new SimpleRnn.Builder().nIn(3).nOut(4).build();
            case IMAGE -> new ConvolutionLayer.Builder(2, 2).nIn(2).nOut(3).build();
            default -> new DenseLayer.Builder().nIn(3).nOut(4).build();
        };
    }

    MultiDataSet data() {
        INDArray labels = Example.classes(Shape.EXAMPLES, Shape.CLASSES);
        return new MultiDataSet(in.features(), labels);
    }

    @Override
    public String toString() {
        return type.getSimpleName();
    }
}
