package dev.samediff.adapters;

import dev.samediff.adapters.graph.AdaptableSite;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear layer or embedding with an adapter on it.
 *
 * @param adapter the adapter's name
 * @param layer the linear layer or embedding
 * @param rank rank on this layer
 * @param alpha alpha on this layer
 * @param scaling factor s of the branch
 * @param trainables names of the graph's trainable variables by short name ({@code lora_A}, ...), in a fixed order
 * @param startsAtZero whether the base weight stayed as it was; otherwise it is the residual while the adapter is active
 * @param weightHash SHA-256 of the true base weight, see {@link BaseHash#ofWeight}
 * @param kernel sizes of the kernel of a convolution, as the graph has them or a saved adapter; none of other layers
 */
public record AdaptedSite(
        String adapter,
        AdaptableSite layer,
        int rank,
        double alpha,
        double scaling,
        Map<String, String> trainables,
        boolean startsAtZero,
        String weightHash,
        List<Integer> kernel) {
    public AdaptedSite {
        kernel = List.copyOf(kernel);
        trainables = Collections.unmodifiableMap(new LinkedHashMap<>(trainables));
    }

    /** The present values of the trainable tensors by short name, copied. */
    public Map<String, INDArray> tensors(SameDiff graph) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        trainables.forEach((name, variable) ->
                tensors.put(name, graph.getVariable(variable).getArr().dup('c')));
        return tensors;
    }

    /** Returns the layer's module path. */
    public String module() {
        return layer.module();
    }
}
