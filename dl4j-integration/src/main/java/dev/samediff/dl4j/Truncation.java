package dev.samediff.dl4j;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;

/**
 * What truncated backpropagation through time cannot be: DL4J asks the layer inside of a wrapper for the stored state in the
 * forward pass, past the wrapper, and runs the wrapper's backward pass without that state; and what reads a sequence
 * backwards has no state to store.
 */
final class Truncation {
    private Truncation() {}

    /**
     * Refuses a network that cannot be trained so.
     *
     * @throws InvalidInputException if a layer would get a wrong gradient, or none
     */
    static void requireSupported(BackpropType type, List<NetworkLayer> layers) {
        if (type != BackpropType.TruncatedBPTT) {
            return;
        }
        for (NetworkLayer layer : layers) {
            Layer configuration = layer.configuration();
            if (isBackwards(configuration)
                    || (configuration instanceof BaseWrapperLayer wrapper && isRecurrent(wrapper.getUnderlying()))) {
                throw new InvalidInputException("the layer `" + layer.name() + "` of type "
                        + configuration.getClass().getSimpleName() + " cannot be trained by truncated backpropagation:"
                        + " DL4J loses its state between the pieces; set BackpropType.Standard before adapting, or use"
                        + " the recurrent layer without a wrapper");
            }
        }
    }

    private static boolean isRecurrent(Layer layer) {
        return layer instanceof BaseRecurrentLayer
                || isBackwards(layer)
                || (layer instanceof BaseWrapperLayer wrapper && isRecurrent(wrapper.getUnderlying()));
    }

    private static boolean isBackwards(Layer layer) {
        return layer instanceof Bidirectional || layer instanceof GravesBidirectionalLSTM;
    }
}
