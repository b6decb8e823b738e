package dev.samediff.dl4j.layer;

import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationRReLU;

/** What is random in a layer's training: dropout, weight noise, and the randomised leaky ReLU. */
final class Randomness {
    private Randomness() {}

    static boolean isIn(Layer layer) {
        return layer.getIDropout() != null
                || (layer instanceof BaseLayer weighted
                        && (weighted.getWeightNoise() != null || isRandom(weighted.getActivationFn())))
                || (layer instanceof AbstractLSTM lstm && isRandom(lstm.getGateActivationFn()))
                || (layer instanceof ActivationLayer activation && isRandom(activation.getActivationFn()));
    }

    private static boolean isRandom(IActivation activation) {
        return activation instanceof ActivationRReLU;
    }

    /** Makes a layer compute in training what it computes at test time. */
    static void remove(Layer layer) {
        layer.setIDropout(null);
        if (layer instanceof BaseLayer weighted) {
            weighted.setWeightNoise(null);
            weighted.setActivationFn(fixed(weighted.getActivationFn()));
        }
        if (layer instanceof AbstractLSTM lstm) {
            lstm.setGateActivationFn(fixed(lstm.getGateActivationFn()));
        }
        if (layer instanceof ActivationLayer activation) {
            activation.setActivationFn(fixed(activation.getActivationFn()));
        }
    }

    private static IActivation fixed(IActivation activation) {
        return activation instanceof ActivationRReLU random ? new FixedRrelu(random) : activation;
    }
}
