package dev.samediff.dl4j.testing;

import java.util.Random;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** Three clouds of points in eight dimensions, and a network that tells them apart. */
public final class Blobs {
    /** Dimensions of a point. */
    public static final int FEATURES = 8;

    /** Number of clouds. */
    public static final int CLASSES = 3;

    private Blobs() {}

    /** Returns points; a shift moves all clouds, so that a network trained on the others has something to learn. */
    public static DataSet data(int examples, double shift, long seed) {
        Random random = new Random(seed);
        INDArray features = Nd4j.create(DataType.FLOAT, examples, FEATURES);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, examples, CLASSES);
        for (int i = 0; i < examples; i++) {
            int label = i % CLASSES;
            labels.putScalar(i, label, 1);
            for (int j = 0; j < FEATURES; j++) {
                double center = j % CLASSES == label ? 1.5 : 0;
                features.putScalar(i, j, center + shift * (j % 2) + 0.6 * random.nextGaussian());
            }
        }
        return new DataSet(features, labels);
    }

    /** Returns points in batches of 16. */
    public static DataSetIterator batches(int examples, double shift, long seed) {
        return new ListDataSetIterator<>(data(examples, shift, seed).asList(), 16);
    }

    /** Returns an untrained network: {@code first}, {@code second}, {@code output}. */
    public static MultiLayerNetwork network(DataType type) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(5)
                .dataType(type)
                .weightInit(WeightInit.XAVIER)
                .updater(new Adam(0.01))
                .list()
                .layer(new DenseLayer.Builder()
                        .name("first")
                        .nIn(FEATURES)
                        .nOut(16)
                        .activation(Activation.TANH)
                        .build())
                .layer(new DenseLayer.Builder()
                        .name("second")
                        .nOut(12)
                        .nIn(16)
                        .activation(Activation.RELU)
                        .build())
                .layer(new OutputLayer.Builder()
                        .name("output")
                        .nIn(12)
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        network.init();
        return network;
    }

    /** Returns a network trained on unshifted clouds. */
    public static MultiLayerNetwork trained() {
        MultiLayerNetwork network = network(DataType.FLOAT);
        network.fit(batches(96, 0, 1), 5);
        return network;
    }
}
