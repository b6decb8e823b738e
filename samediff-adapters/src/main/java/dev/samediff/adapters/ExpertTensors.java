package dev.samediff.adapters;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An adapter's tensors of a stack of experts: those of each expert, as of a linear layer, behind one another along an axis in
 * front. {@code lora_A [experts,in,r]}, {@code lora_B [experts,r,out]}, {@code sorsa_S [experts,r]}.
 */
public final class ExpertTensors {
    private ExpertTensors() {}

    /** Returns each expert's tensors by short name, as views. */
    public static List<Map<String, INDArray>> split(Map<String, INDArray> stacked) {
        List<Map<String, INDArray>> experts = new ArrayList<>();
        long count = stacked.values().iterator().next().size(0);
        for (int expert = 0; expert < count; expert++) {
            Map<String, INDArray> tensors = new LinkedHashMap<>();
            for (Map.Entry<String, INDArray> tensor : stacked.entrySet()) {
                tensors.put(tensor.getKey(), of(tensor.getValue(), expert));
            }
            experts.add(tensors);
        }
        return experts;
    }

    /** Returns one expert's part of a tensor, as a view. */
    public static INDArray of(INDArray stacked, int expert) {
        return stacked.slice(expert);
    }

    /** Puts the tensors of experts, at least one, behind one another. */
    public static Map<String, INDArray> join(List<Map<String, INDArray>> experts) {
        Map<String, INDArray> stacked = new LinkedHashMap<>();
        for (String name : experts.get(0).keySet()) {
            stacked.put(
                    name,
                    Nd4j.stack(
                            0, experts.stream().map(expert -> expert.get(name)).toArray(INDArray[]::new)));
        }
        return stacked;
    }

    /**
     * Returns {@link AdapterMethod#asLora} of a layer of any kind.
     *
     * @param kind what the layer does with its weight
     * @param method whose tensors these are
     * @param tensors by short name
     */
    public static Map<String, INDArray> asLora(SiteKind kind, AdapterMethod method, Map<String, INDArray> tensors) {
        return kind == SiteKind.EXPERTS
                ? join(split(tensors).stream().map(method::asLora).toList())
                : method.asLora(tensors);
    }
}
