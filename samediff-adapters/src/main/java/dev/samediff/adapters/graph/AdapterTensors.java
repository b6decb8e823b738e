package dev.samediff.adapters.graph;

import java.util.Optional;
import java.util.regex.Pattern;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The names of adapters' tensors in a graph, which are PEFT's: {@code <module>.lora_A.<adapter>.weight} of a linear layer or of experts, whose
 * tensors are weights of modules there, {@code <module>.lora_embedding_A.<adapter>} of an embedding, whose are bare parameters.
 */
public final class AdapterTensors {
    private static final Pattern NAME =
            Pattern.compile(".*\\.(lora|sorsa)_(([A-Z]\\.[A-Za-z0-9_-]+\\.weight)|(embedding_[A-Z]\\.[A-Za-z0-9_-]+))");

    private AdapterTensors() {}

    /**
     * Returns the name of a tensor.
     *
     * @param layer its layer
     * @param shortName such as {@code lora_A}
     * @param adapter the adapter's name
     */
    public static String name(AdaptableSite layer, String shortName, String adapter) {
        return switch (layer.kind()) {
            case LINEAR, EXPERTS -> layer.module() + "." + shortName + "." + adapter + ".weight";
            case EMBEDDING ->
                layer.module() + "." + shortName.replaceFirst("_(?=[A-Z]$)", "_embedding_") + "." + adapter;
        };
    }

    /** Tells whether a name is that of an adapter's tensor, such as {@code q.lora_A.default.weight}. */
    public static boolean isOne(String name) {
        return NAME.matcher(name).matches();
    }

    /** Returns the name of an adapter's tensor, if the graph has any. */
    public static Optional<String> any(SameDiff graph) {
        return graph.variables().stream()
                .map(SDVariable::name)
                .filter(AdapterTensors::isOne)
                .findFirst();
    }
}
