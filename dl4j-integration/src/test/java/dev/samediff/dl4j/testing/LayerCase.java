package dev.samediff.dl4j.testing;

import java.util.Random;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A small network around one layer of every kind that can be adapted; the layer is called {@code adapted}. */
public enum LayerCase {
    DENSE(
            InputType.feedForward(5),
            new DenseLayer.Builder().nOut(6).activation(Activation.TANH).build()),
    EMBEDDING(
            InputType.feedForward(7),
            new EmbeddingLayer.Builder()
                    .nIn(7)
                    .nOut(6)
                    .activation(Activation.TANH)
                    .hasBias(true)
                    .build()),
    EMBEDDING_SEQUENCE(
            InputType.feedForward(7),
            new EmbeddingSequenceLayer.Builder().nIn(7).nOut(6).inputLength(7).build()),
    SELF_ATTENTION(
            InputType.recurrent(5, 4),
            new SelfAttentionLayer.Builder()
                    .nOut(6)
                    .nHeads(2)
                    .projectInput(true)
                    .build()),
    LEARNED_SELF_ATTENTION(
            InputType.recurrent(5, 4),
            new LearnedSelfAttentionLayer.Builder()
                    .nOut(6)
                    .nHeads(2)
                    .nQueries(3)
                    .projectInput(true)
                    .build()),
    RECURRENT_ATTENTION(
            InputType.recurrent(5, 2),
            new RecurrentAttentionLayer.Builder()
                    .nIn(5)
                    .nOut(6)
                    .nHeads(2)
                    .projectInput(true)
                    .hasBias(true)
                    .build()),
    LSTM_CELLS(
            InputType.recurrent(5, 4),
            new LSTM.Builder().nOut(6).activation(Activation.TANH).build()),
    GRAVES_LSTM(
            InputType.recurrent(5, 4),
            new GravesLSTM.Builder().nOut(6).activation(Activation.TANH).build()),
    SIMPLE_RNN(
            InputType.recurrent(5, 4),
            new SimpleRnn.Builder().nOut(6).activation(Activation.TANH).build()),
    BIDIRECTIONAL(
            InputType.recurrent(5, 4),
            new Bidirectional(
                    Bidirectional.Mode.CONCAT,
                    new LSTM.Builder().nOut(6).activation(Activation.TANH).build())),
    LAST_TIME_STEP(
            InputType.recurrent(5, 4),
            new LastTimeStep(
                    new LSTM.Builder().nOut(6).activation(Activation.TANH).build())),
    CONVOLUTION(
            InputType.convolutional(5, 4, 2),
            new ConvolutionLayer.Builder(3, 2)
                    .nOut(6)
                    .activation(Activation.TANH)
                    .build()),
    CONVOLUTION_1X1(
            InputType.convolutional(4, 4, 5),
            new ConvolutionLayer.Builder(1, 1)
                    .nOut(6)
                    .activation(Activation.TANH)
                    .build()),
    CONVOLUTION_1D(
            InputType.recurrent(5, 4),
            new Convolution1DLayer.Builder(2)
                    .nOut(6)
                    .convolutionMode(ConvolutionMode.Same)
                    .activation(Activation.TANH)
                    .build());

    private static final int EXAMPLES = 3;
    private static final int CLASSES = 3;

    private final InputType input;
    private final Layer layer;

    LayerCase(InputType input, Layer layer) {
        this.input = input;
        this.layer = layer;
    }

    /** Returns the network with random weights. */
    public MultiLayerNetwork network(DataType type) {
        Layer copy = layer.clone();
        copy.setLayerName("adapted");
        NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder()
                .seed(7)
                .dataType(type)
                .weightInit(WeightInit.XAVIER)
                .updater(new Sgd(1.0))
                .list()
                .layer(copy);
        if (isSequence()) {
            list.layer(new GlobalPoolingLayer.Builder(PoolingType.AVG)
                    .name("pooling")
                    .build());
        }
        MultiLayerConfiguration conf = list.layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .name("output")
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(input)
                .build();
        MultiLayerNetwork network = new MultiLayerNetwork(conf);
        network.init();
        return network;
    }

    /** Returns whether DL4J's own layer runs: M2.1's learned self-attention throws in every forward pass. */
    public boolean runs() {
        return this != LEARNED_SELF_ATTENTION;
    }

    private boolean isSequence() {
        return input.getType() == InputType.Type.RNN && this != LAST_TIME_STEP || this == EMBEDDING_SEQUENCE;
    }

    /** Returns whether the input is made of whole numbers. */
    /** Tells whether its weight is a table of rows that ids choose. */
    public boolean isLookup() {
        return this == EMBEDDING || this == EMBEDDING_SEQUENCE;
    }

    /** Returns random examples. */
    public DataSet data(DataType type) {
        Random random = new Random(3);
        long[] shape = input.getShape(true);
        shape = shape.clone();
        shape[0] = EXAMPLES;
        if (this == EMBEDDING) {
            shape[1] = 1;
        }
        INDArray features = Nd4j.create(type, shape);
        for (long i = 0; i < features.length(); i++) {
            features.putScalar(i, isLookup() ? random.nextInt(7) : random.nextGaussian());
        }
        INDArray labels = Nd4j.zeros(type, EXAMPLES, CLASSES);
        for (int i = 0; i < EXAMPLES; i++) {
            labels.putScalar(i, i % CLASSES, 1);
        }
        return new DataSet(features, labels);
    }
}
