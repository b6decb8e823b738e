package dev.samediff.dl4j.weight;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.layers.LayerConstraint;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.conf.weightnoise.WeightNoise;

/**
 * The layer that a weight belongs to, inside of DL4J's wrappers, which do not know the settings of what they hold.
 *
 * @param layer the innermost layer
 * @param parameter its name for the weight: {@code RW} where the wrapper says {@code bRW}
 */
public record WeightOwner(Layer layer, String parameter) {

    /** Returns the owner of a layer's parameter. */
    public static WeightOwner of(Layer layer, String parameter) {
        if (layer instanceof Bidirectional both) {
            return of(parameter.startsWith("f") ? both.getFwd() : both.getBwd(), parameter.substring(1));
        }
        if (layer instanceof FrozenLayer frozen) {
            return of(frozen.getLayer(), parameter);
        }
        return layer instanceof BaseWrapperLayer wrapper
                ? of(wrapper.getUnderlying(), parameter)
                : new WeightOwner(layer, parameter);
    }

    /** Returns the types of the constraints that DL4J applies to the weight after every step. */
    public List<String> constraints() {
        return Stream.ofNullable(layer.getConstraints())
                .flatMap(List::stream)
                .filter(this::holds)
                .map(constraint -> constraint.getClass().getSimpleName())
                .toList();
    }

    private boolean holds(LayerConstraint constraint) {
        return constraint.getParams() != null && constraint.getParams().contains(parameter);
    }

    /**
     * Returns the type of the noise that DL4J multiplies the weight by in training; empty if there is none. Noise that is added
     * does not change the gradient.
     */
    public List<String> weightNoise() {
        return layer instanceof BaseLayer weighted && weighted.getWeightNoise() != null && !isAdded(weighted)
                ? List.of(weighted.getWeightNoise().getClass().getSimpleName())
                : List.of();
    }

    private static boolean isAdded(BaseLayer layer) {
        return layer.getWeightNoise() instanceof WeightNoise noise && noise.isAdditive();
    }
}
