package dev.samediff.dl4j;

import dev.samediff.dl4j.conf.AdaptedLayer;
import dev.samediff.dl4j.conf.CorrectedLayer;
import dev.samediff.dl4j.weight.AdaptableWeight;
import dev.samediff.dl4j.weight.AdaptableWeights;
import dev.samediff.dl4j.weight.WeightOwner;
import java.util.List;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A layer of a trained network.
 *
 * @param name its name
 * @param index its place: in a {@code MultiLayerNetwork} the layer's number, in a {@code ComputationGraph} the number of
 *     layers before it in topological order
 * @param configuration its configuration, without DL4J's freezing
 * @param parameters its flat parameters; null if it has none
 */
record NetworkLayer(
        String name,
        int index,
        Layer configuration,
        @Nullable INDArray parameters) {

    /** Returns a layer's configuration without DL4J's or this project's freezing. */
    static Layer thawed(Layer layer) {
        if (layer instanceof FrozenLayer frozen) {
            return thawed(frozen.getLayer());
        }
        if (layer instanceof FrozenLayerWithBackprop frozen) {
            return thawed(frozen.getUnderlying());
        }
        if (layer instanceof CorrectedLayer corrected) {
            return thawed(corrected.getUnderlying());
        }
        return layer instanceof AdaptedLayer adapted ? thawed(adapted.getUnderlying()) : layer;
    }

    List<AdaptableWeight> weights() {
        return parameters == null ? List.of() : AdaptableWeights.of(configuration);
    }

    /** What its parameters belong to, inside of wrappers. */
    List<WeightOwner> owners() {
        return configuration.initializer().paramKeys(configuration).stream()
                .map(parameter -> WeightOwner.of(configuration, parameter))
                .toList();
    }

    /** The layer's name, and the weight's if there are several. */
    String module(AdaptableWeight weight) {
        return weights().size() == 1 ? name : name + "." + weight.parameter();
    }

    List<String> modules() {
        return weights().stream().map(this::module).toList();
    }

    /** Why it has no module. */
    String reason() {
        return parameters == null
                ? "it has no weights"
                : "its type " + AdaptableWeights.name(configuration) + " is none of " + AdaptableWeights.types();
    }
}
