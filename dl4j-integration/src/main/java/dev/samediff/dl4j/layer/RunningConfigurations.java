package dev.samediff.dl4j.layer;

import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;

/**
 * From the configuration of a layer to the one that runs, inside of wrappers too:
 *
 * <ul>
 *   <li>a frozen layer has nothing random ({@link Randomness}), so that its forward and its backward pass are those of one
 *       map, whichever of them DL4J runs as in training;
 *   <li>the gradients of SameDiff layers are halved, a frozen batch normalisation has its own, and what computes in place does
 *       not ({@link Correction});
 *   <li>DL4J's freezing inside of a wrapper is left out: gradients have to pass, and what is frozen is decided outside.
 * </ul>
 *
 * <p>The parameters and their order are those of the original, which is never changed.
 */
public final class RunningConfigurations {
    private RunningConfigurations() {}

    /**
     * Returns what runs for a layer, a copy.
     *
     * @param layer the layer's configuration
     * @param frozen whether it runs as at test time
     */
    public static Layer of(Layer layer, boolean frozen) {
        if (layer instanceof FrozenLayer inside) {
            return of(inside.getLayer(), frozen);
        }
        if (layer instanceof FrozenLayerWithBackprop inside) {
            return of(inside.getUnderlying(), frozen);
        }
        Layer copy = layer.clone();
        if (copy instanceof Bidirectional both) {
            both.setFwd(of(both.getFwd(), frozen));
            both.setBwd(of(both.getBwd(), frozen));
            both.setInitializer(null);
        } else if (copy instanceof BaseWrapperLayer wrapper) {
            wrapper.setUnderlying(of(wrapper.getUnderlying(), frozen));
        }
        if (frozen) {
            Randomness.remove(copy);
        }
        if (hasExternalErrors(copy)) {
            return new Correction(copy, Correction.Kind.HALVED_ERRORS);
        }
        if (isInPlace(copy) && !Randomness.isIn(copy)) {
            return new Correction(copy, Correction.Kind.KEPT_INPUT);
        }
        return frozen && copy instanceof BatchNormalization
                ? new Correction(copy, Correction.Kind.FIXED_NORMALIZATION)
                : copy;
    }

    /** Returns the running layer, which refuses wrong gradients if it is one that can have them. */
    public static org.deeplearning4j.nn.api.Layer guarded(org.deeplearning4j.nn.api.Layer running, Layer layer) {
        return running instanceof org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer wrapper
                        && MaskedSteps.matter(layer)
                ? new GuardedLayer(wrapper)
                : running;
    }

    /**
     * Returns whether what runs for a layer is something else than the layer itself.
     *
     * @param layer the layer's configuration
     * @param frozen whether it runs as at test time
     */
    public static boolean differ(Layer layer, boolean frozen) {
        if (layer instanceof FrozenLayer
                || layer instanceof FrozenLayerWithBackprop
                || hasExternalErrors(layer)
                || isInPlace(layer)
                || MaskedSteps.matter(layer)) {
            return true;
        }
        if (frozen && (Randomness.isIn(layer) || layer instanceof BatchNormalization)) {
            return true;
        }
        if (layer instanceof Bidirectional both) {
            return differ(both.getFwd(), frozen) || differ(both.getBwd(), frozen);
        }
        return layer instanceof BaseWrapperLayer wrapper && differ(wrapper.getUnderlying(), frozen);
    }

    private static boolean isInPlace(Layer layer) {
        return layer instanceof PReLULayer || layer instanceof ActivationLayer;
    }

    private static boolean hasExternalErrors(Layer layer) {
        return layer instanceof AbstractSameDiffLayer && !(layer instanceof SameDiffOutputLayer);
    }
}
