package dev.samediff.dl4j.weight;

import java.util.Set;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1D;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;

/**
 * A defect of DL4J M2.1: under dropout, the backward pass of some layer types hands down (an {@code AutoEncoder} also takes for
 * itself) the gradient of inputs without it. {@code LayerTableTest} tries all types with dropout.
 */
public final class WrongDropout {
    private static final Set<Class<? extends Layer>> TYPES = Set.of(
            AutoEncoder.class,
            CenterLossOutputLayer.class,
            Convolution1D.class,
            Convolution1DLayer.class,
            Convolution3D.class,
            Deconvolution2D.class,
            Deconvolution3D.class,
            RepeatVector.class,
            SpaceToDepthLayer.class,
            Upsampling1D.class);

    private WrongDropout() {}

    /**
     * Returns whether a layer has dropout and is of such a type.
     *
     * @param layer the layer, without wrappers
     */
    public static boolean isIn(Layer layer) {
        return layer.getIDropout() != null && TYPES.contains(layer.getClass());
    }
}
