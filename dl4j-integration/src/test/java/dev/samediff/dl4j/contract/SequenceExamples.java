package dev.samediff.dl4j.contract;

import static dev.samediff.dl4j.contract.Shape.FLAT;
import static dev.samediff.dl4j.contract.Shape.SEQUENCE;

import java.util.List;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.CapsuleLayer;
import org.deeplearning4j.nn.conf.layers.CapsuleStrengthLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1D;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.Pooling1D;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.util.MaskLayer;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.nd4j.linalg.activations.Activation;

/** Layers on {@code [N,D,T]}. */
final class SequenceExamples {
    private SequenceExamples() {}

    static LSTM lstm() {
        return new LSTM.Builder().nIn(4).nOut(3).activation(Activation.TANH).build();
    }

    static SelfAttentionLayer attention() {
        return new SelfAttentionLayer.Builder()
                .nIn(4)
                .nOut(4)
                .nHeads(2)
                .projectInput(true)
                .build();
    }

    static List<Example> all() {
        return List.of(
                Example.of(LSTM.class, SEQUENCE, SEQUENCE, SequenceExamples::lstm),
                Example.of(
                        GravesLSTM.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new GravesLSTM.Builder()
                                .nIn(4)
                                .nOut(3)
                                .activation(Activation.TANH)
                                .build()),
                Example.of(
                        GravesBidirectionalLSTM.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new GravesBidirectionalLSTM.Builder()
                                .nIn(4)
                                .nOut(3)
                                .activation(Activation.TANH)
                                .build()),
                Example.of(
                        SimpleRnn.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new SimpleRnn.Builder()
                                .nIn(4)
                                .nOut(3)
                                .activation(Activation.TANH)
                                .build()),
                Example.of(
                        Bidirectional.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new Bidirectional(Bidirectional.Mode.CONCAT, lstm())),
                Example.of(LastTimeStep.class, SEQUENCE, FLAT, () -> new LastTimeStep(lstm())),
                Example.of(
                        TimeDistributed.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new TimeDistributed(new DenseLayer.Builder()
                                .nIn(4)
                                .nOut(3)
                                .activation(Activation.TANH)
                                .build())),
                Example.of(MaskZeroLayer.class, SEQUENCE, SEQUENCE, () -> new MaskZeroLayer(lstm(), 0.0)),
                Example.of(MaskLayer.class, SEQUENCE, SEQUENCE, MaskLayer::new),
                Example.of(SelfAttentionLayer.class, SEQUENCE, SEQUENCE, SequenceExamples::attention),
                Example.of(
                        LearnedSelfAttentionLayer.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new LearnedSelfAttentionLayer.Builder()
                                .nIn(4)
                                .nOut(4)
                                .nHeads(2)
                                .nQueries(3)
                                .projectInput(true)
                                .build()),
                Example.of(
                        RecurrentAttentionLayer.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new RecurrentAttentionLayer.Builder()
                                .nIn(4)
                                .nOut(4)
                                .nHeads(2)
                                .projectInput(true)
                                .hasBias(true)
                                .build()),
                Example.of(
                        Convolution1DLayer.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new Convolution1DLayer.Builder(2)
                                .nIn(4)
                                .nOut(3)
                                .activation(Activation.TANH)
                                .build()),
                Example.of(
                        Convolution1D.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new Convolution1D.Builder(2)
                                .nIn(4)
                                .nOut(3)
                                .convolutionMode(ConvolutionMode.Causal)
                                .activation(Activation.TANH)
                                .build()),
                Example.of(
                        LocallyConnected1D.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new LocallyConnected1D.Builder()
                                .nIn(4)
                                .nOut(3)
                                .kernelSize(2)
                                .setInputSize(5)
                                .activation(Activation.TANH)
                                .build()),
                Example.of(
                        Subsampling1DLayer.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new Subsampling1DLayer.Builder(PoolingType.MAX)
                                .kernelSize(2)
                                .stride(1)
                                .build()),
                Example.of(
                        Pooling1D.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new Pooling1D.Builder(PoolingType.AVG)
                                .kernelSize(2)
                                .stride(1)
                                .build()),
                Example.of(Upsampling1D.class, SEQUENCE, SEQUENCE, () -> new Upsampling1D.Builder(2).build()),
                Example.of(
                        ZeroPadding1DLayer.class, SEQUENCE, SEQUENCE, () -> new ZeroPadding1DLayer.Builder(1).build()),
                Example.of(Cropping1D.class, SEQUENCE, SEQUENCE, () -> new Cropping1D.Builder(1).build()),
                Example.of(
                        GlobalPoolingLayer.class,
                        SEQUENCE,
                        FLAT,
                        () -> new GlobalPoolingLayer.Builder(PoolingType.PNORM)
                                .pnorm(2)
                                .build()),
                Example.of(
                        CapsuleLayer.class,
                        SEQUENCE,
                        SEQUENCE,
                        () -> new CapsuleLayer.Builder(3, 2, 2).inputShape(4, 5).build()),
                Example.of(
                        CapsuleStrengthLayer.class, SEQUENCE, FLAT, () -> new CapsuleStrengthLayer.Builder().build()));
    }
}
