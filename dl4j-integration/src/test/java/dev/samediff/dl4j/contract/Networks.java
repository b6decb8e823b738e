package dev.samediff.dl4j.contract;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** Networks {@code below - tested - output}, and their data. */
final class Networks {
    static final String BELOW = "below";
    static final String TESTED = "tested";
    static final String OUTPUT = "output";

    private Networks() {}

    static NeuralNetConfiguration.Builder settings() {
        return new NeuralNetConfiguration.Builder()
                .seed(7)
                .dataType(DataType.DOUBLE)
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.TANH)
                .updater(new Sgd(1.0));
    }

    /** Returns the network around a layer with random weights. */
    static MultiLayerNetwork around(Example example, Layer tested) {
        tested.setLayerName(TESTED);
        List<Layer> layers = new ArrayList<>(example.in().bottom());
        layers.forEach(layer -> layer.setLayerName(BELOW));
        layers.add(tested);
        Shape out = example.out();
        if (out != null) {
            out.pooling().forEach(layers::add);
            Layer output = OutputExamples.output();
            output.setLayerName(OUTPUT);
            layers.add(output);
        }
        NeuralNetConfiguration.ListBuilder list = settings().list();
        layers.forEach(list::layer);
        if (example.in().between() != null) {
            list.inputPreProcessor(1, example.in().between());
        }
        MultiLayerNetwork network =
                new MultiLayerNetwork(list.setInputType(example.in().input()).build());
        network.init();
        return network;
    }

    static MultiDataSet data(Example example) {
        return new MultiDataSet(example.in().features(), example.labels().get());
    }
}
