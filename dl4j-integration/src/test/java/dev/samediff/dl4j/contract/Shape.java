package dev.samediff.dl4j.contract;

import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnn3DPreProcessor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What goes into a layer, and a layer that makes it. */
enum Shape {
    /** {@code [N,4]}. */
    FLAT(
            InputType.feedForward(3),
            () -> new DenseLayer.Builder().nOut(4).activation(Activation.TANH).build()),
    /** {@code [N,4,5]}. */
    SEQUENCE(
            InputType.recurrent(3, 5),
            () -> new SimpleRnn.Builder().nOut(4).activation(Activation.TANH).build()),
    /** {@code [N,3,4,4]}. */
    IMAGE(
            InputType.convolutional(5, 5, 2),
            () -> new ConvolutionLayer.Builder(2, 2)
                    .nOut(3)
                    .activation(Activation.TANH)
                    .build()),
    /** {@code [N,6,4,4]}: one box of one class in each of 4 x 4 places. */
    BOXES(
            InputType.convolutional(5, 5, 2),
            () -> new ConvolutionLayer.Builder(2, 2)
                    .nOut(6)
                    .activation(Activation.TANH)
                    .build()),
    /** {@code [N,2,4,4,4]}. */
    VOLUME(
            InputType.feedForward(3),
            () -> new DenseLayer.Builder()
                    .nOut(2 * 4 * 4 * 4)
                    .activation(Activation.TANH)
                    .build()),
    /** {@code [N,1]}, numbers of rows. */
    INDEX(InputType.feedForward(6), null),
    /** {@code [N,5]}, numbers of rows. */
    INDICES(InputType.feedForward(6), null);

    static final int EXAMPLES = 3;
    static final int CLASSES = 3;

    private final InputType input;
    private final @Nullable Supplier<Layer> bottom;

    Shape(InputType input, @Nullable Supplier<Layer> bottom) {
        this.input = input;
        this.bottom = bottom;
    }

    /** Returns what goes into the network. */
    InputType input() {
        return input;
    }

    /** Returns the layer below, which makes this shape; none of shapes that only a network's input has. */
    List<Layer> bottom() {
        return bottom == null ? List.of() : List.of(bottom.get());
    }

    /** Returns what is between the layer below and the one above it, if DL4J does not find it by itself. */
    @Nullable
    InputPreProcessor between() {
        return this == VOLUME ? new FeedForwardToCnn3DPreProcessor(4, 4, 4, 2, true) : null;
    }

    /** Returns what makes {@code [N,D]} of this shape. */
    List<Layer> pooling() {
        return this == FLAT ? List.of() : List.of(new GlobalPoolingLayer.Builder(PoolingType.AVG).build());
    }

    /** Returns random inputs of the network. */
    INDArray features() {
        Random random = new Random(3);
        long[] shape = input.getShape(true).clone();
        shape[0] = EXAMPLES;
        if (this == INDEX || this == INDICES) {
            shape[1] = this == INDEX ? 1 : 5;
        }
        INDArray features = Nd4j.create(DataType.DOUBLE, shape);
        for (long i = 0; i < features.length(); i++) {
            features.putScalar(i, bottom == null ? random.nextInt(6) : random.nextGaussian());
        }
        return features;
    }
}
