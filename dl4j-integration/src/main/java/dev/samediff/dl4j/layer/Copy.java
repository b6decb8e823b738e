package dev.samediff.dl4j.layer;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.api.Layer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen parameter that no adapter is on, on its way to the original implementation.
 *
 * @param from the parameter in the network's flat vector
 * @param to where the implementation reads it
 */
record Copy(INDArray from, INDArray to) {
    static List<Copy> all(Parameters parameters, Layer implementation, List<AdaptedWeight> weights) {
        Set<String> composed = weights.stream()
                .filter(AdaptedWeight::isWhole)
                .map(AdaptedWeight::parameter)
                .collect(Collectors.toSet());
        return implementation.paramTable().entrySet().stream()
                .filter(entry -> !composed.contains(entry.getKey()))
                .map(entry -> new Copy(parameters.get(entry.getKey()), entry.getValue()))
                .toList();
    }

    void run() {
        to.assign(from);
    }
}
