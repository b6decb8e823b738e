package dev.samediff.dl4j.contract;

import static dev.samediff.dl4j.contract.Shape.IMAGE;
import static dev.samediff.dl4j.contract.Shape.SEQUENCE;
import static dev.samediff.dl4j.contract.Shape.VOLUME;

import java.util.List;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.Pooling2D;
import org.deeplearning4j.nn.conf.layers.PrimaryCapsules;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SpaceToBatchLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.Upsampling3D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding3DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping3D;
import org.nd4j.linalg.activations.Activation;

/** Layers on {@code [N,C,H,W]} and {@code [N,C,D,H,W]}. */
final class ImageExamples {
    private ImageExamples() {}

    private static Example image(Class<?> type, Supplier<Layer> layer) {
        return Example.of(type, IMAGE, IMAGE, layer);
    }

    private static Example volume(Class<?> type, Supplier<Layer> layer) {
        return Example.of(type, VOLUME, VOLUME, layer);
    }

    static List<Example> images() {
        return List.of(
                image(
                        ConvolutionLayer.class,
                        () -> new ConvolutionLayer.Builder(2, 2)
                                .nIn(3)
                                .nOut(2)
                                .activation(Activation.TANH)
                                .build()),
                image(
                        Convolution2D.class,
                        () -> new Convolution2D.Builder(3, 2)
                                .nIn(3)
                                .nOut(2)
                                .stride(1, 2)
                                .dilation(1, 2)
                                .activation(Activation.TANH)
                                .build()),
                image(
                        Deconvolution2D.class,
                        () -> new Deconvolution2D.Builder(2, 2)
                                .nIn(3)
                                .nOut(2)
                                .activation(Activation.TANH)
                                .build()),
                image(
                        SeparableConvolution2D.class,
                        () -> new SeparableConvolution2D.Builder(2, 2)
                                .nIn(3)
                                .nOut(2)
                                .activation(Activation.TANH)
                                .build()),
                image(
                        DepthwiseConvolution2D.class,
                        () -> new DepthwiseConvolution2D.Builder(2, 2)
                                .nIn(3)
                                .nOut(6)
                                .depthMultiplier(2)
                                .activation(Activation.TANH)
                                .build()),
                image(
                        SubsamplingLayer.class,
                        () -> new SubsamplingLayer.Builder(
                                        SubsamplingLayer.PoolingType.MAX, new int[] {2, 2}, new int[] {1, 1})
                                .build()),
                image(
                        Pooling2D.class,
                        () -> new Pooling2D.Builder(
                                        SubsamplingLayer.PoolingType.AVG, new int[] {2, 2}, new int[] {2, 2})
                                .build()),
                image(Upsampling2D.class, () -> new Upsampling2D.Builder(2).build()),
                image(ZeroPaddingLayer.class, () -> new ZeroPaddingLayer.Builder(1, 1).build()),
                image(Cropping2D.class, () -> new Cropping2D.Builder(1, 1).build()),
                image(
                        LocallyConnected2D.class,
                        () -> new LocallyConnected2D.Builder()
                                .nIn(3)
                                .nOut(2)
                                .kernelSize(2, 2)
                                .setInputSize(4, 4)
                                .activation(Activation.TANH)
                                .build()),
                image(LocalResponseNormalization.class, () -> new LocalResponseNormalization.Builder().build()),
                image(SpaceToDepthLayer.class, () -> new SpaceToDepthLayer.Builder<>(2).build()),
                new Example(
                        SpaceToBatchLayer.class,
                        IMAGE,
                        IMAGE,
                        () -> new SpaceToBatchLayer.Builder<>(new int[] {2, 2}).build(),
                        () -> Example.classes(4 * Shape.EXAMPLES, Shape.CLASSES),
                        List.of()),
                Example.of(
                        PrimaryCapsules.class,
                        IMAGE,
                        SEQUENCE,
                        () -> new PrimaryCapsules.Builder(3, 2, new int[] {2, 2}, new int[] {1, 1}).build()));
    }

    static List<Example> volumes() {
        return List.of(
                volume(
                        Convolution3D.class,
                        () -> new Convolution3D.Builder(2, 2, 2)
                                .nIn(2)
                                .nOut(2)
                                .activation(Activation.TANH)
                                .build()),
                volume(
                        Deconvolution3D.class,
                        () -> new Deconvolution3D.Builder()
                                .kernelSize(2, 2, 2)
                                .stride(1, 1, 1)
                                .nIn(2)
                                .nOut(2)
                                .activation(Activation.TANH)
                                .build()),
                volume(
                        Subsampling3DLayer.class,
                        () -> new Subsampling3DLayer.Builder(
                                        Subsampling3DLayer.PoolingType.MAX, new int[] {2, 2, 2}, new int[] {2, 2, 2})
                                .build()),
                volume(Upsampling3D.class, () -> new Upsampling3D.Builder(2).build()),
                volume(ZeroPadding3DLayer.class, () -> new ZeroPadding3DLayer.Builder(1).build()),
                volume(Cropping3D.class, () -> new Cropping3D.Builder(1, 1, 1).build()));
    }
}
