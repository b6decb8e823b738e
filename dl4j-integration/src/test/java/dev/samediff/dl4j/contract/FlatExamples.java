package dev.samediff.dl4j.contract;

import static dev.samediff.dl4j.contract.Shape.FLAT;
import static dev.samediff.dl4j.contract.Shape.INDEX;
import static dev.samediff.dl4j.contract.Shape.INDICES;
import static dev.samediff.dl4j.contract.Shape.SEQUENCE;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.nd4j.linalg.activations.Activation;

/** Layers on {@code [N,D]}. */
final class FlatExamples {
    private FlatExamples() {}

    static DenseLayer dense() {
        return new DenseLayer.Builder()
                .nIn(4)
                .nOut(5)
                .activation(Activation.TANH)
                .build();
    }

    static List<Example> all() {
        return List.of(
                Example.of(DenseLayer.class, FLAT, FLAT, FlatExamples::dense),
                Example.of(
                        ElementWiseMultiplicationLayer.class,
                        FLAT,
                        FLAT,
                        () -> new ElementWiseMultiplicationLayer.Builder()
                                .nIn(4)
                                .nOut(4)
                                .activation(Activation.TANH)
                                .build()),
                Example.of(
                        PReLULayer.class,
                        FLAT,
                        FLAT,
                        () -> new PReLULayer.Builder().inputShape(4).build()),
                Example.of(ActivationLayer.class, FLAT, FLAT, () -> new ActivationLayer(Activation.SIGMOID)),
                Example.of(DropoutLayer.class, FLAT, FLAT, () -> new DropoutLayer.Builder(0.6).build()),
                Example.of(
                                AutoEncoder.class,
                                FLAT,
                                FLAT,
                                () -> new AutoEncoder.Builder()
                                        .nIn(4)
                                        .nOut(5)
                                        .activation(Activation.TANH)
                                        .corruptionLevel(0.3)
                                        .build())
                        .except("vb"),
                Example.of(
                                VariationalAutoencoder.class,
                                FLAT,
                                FLAT,
                                () -> new VariationalAutoencoder.Builder()
                                        .nIn(4)
                                        .nOut(3)
                                        .encoderLayerSizes(5)
                                        .decoderLayerSizes(5)
                                        .activation(Activation.TANH)
                                        .build())
                        .except("pZXLogStd2W", "pZXLogStd2b", "d0W", "d0b", "pXZW", "pXZb"),
                Example.of(
                                BatchNormalization.class,
                                FLAT,
                                FLAT,
                                () -> new BatchNormalization.Builder()
                                        .nIn(4)
                                        .nOut(4)
                                        .build())
                        .except("mean", "var", "log10stdev"),
                Example.of(
                        EmbeddingLayer.class,
                        INDEX,
                        FLAT,
                        () -> new EmbeddingLayer.Builder()
                                .nIn(6)
                                .nOut(5)
                                .activation(Activation.TANH)
                                .hasBias(true)
                                .build()),
                Example.of(
                        EmbeddingSequenceLayer.class,
                        INDICES,
                        SEQUENCE,
                        () -> new EmbeddingSequenceLayer.Builder()
                                .nIn(6)
                                .nOut(5)
                                .inputLength(5)
                                .build()),
                Example.of(RepeatVector.class, FLAT, SEQUENCE, () -> new RepeatVector.Builder(3).build()),
                Example.of(FrozenLayer.class, FLAT, FLAT, () -> new FrozenLayer(dense())),
                Example.of(FrozenLayerWithBackprop.class, FLAT, FLAT, () -> new FrozenLayerWithBackprop(dense())),
                Example.of(SameDiffLayer.class, FLAT, FLAT, () -> new OwnSameDiff.Dense(4, 5)),
                Example.of(SameDiffLambdaLayer.class, FLAT, FLAT, OwnSameDiff.Lambda::new));
    }
}
