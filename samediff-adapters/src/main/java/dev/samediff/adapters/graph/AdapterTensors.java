package dev.samediff.adapters.graph;

import java.util.Optional;
import java.util.regex.Pattern;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The names of adapters' tensors in a graph, which are PEFT's: {@code <module>.lora_A.<adapter>.weight} of a linear layer or of experts, whose
 * tensors are weights of modules there, {@code <module>.lora_embedding_A.<adapter>} of an embedding, whose are bare parameters;
 * {@code <module>.token_adapter.trainable_tokens_delta.<adapter>} are rows of a table, {@code
 * <module>.modules_to_save.<adapter>.weight} is all of one. Those of (IA)^3, which PEFT calls {@code ia3_l}, say what they multiply; bottleneck adapters
 * have names of their own.
 */
public final class AdapterTensors {
    private static final Pattern NAME = Pattern.compile(
            ".*\\.((ia3_(in|out)|(serial|parallel)_A|bottleneck_(B|bias|out_bias))\\.[A-Za-z0-9_-]+\\.weight|(lora|sorsa)_((bias\\.[A-Za-z0-9_-]+\\.weight)|(magnitude_vector\\.[A-Za-z0-9_-]+(\\.weight)?)|([A-Z]\\.[A-Za-z0-9_-]+\\.weight)|(embedding_[A-Z]\\.[A-Za-z0-9_-]+))"
                    + "|token_adapter\\.trainable_tokens_delta\\.[A-Za-z0-9_-]+|modules_to_save\\.[A-Za-z0-9_-]+\\.weight|prompt_encoder\\.[A-Za-z0-9_-]+\\.embedding\\.weight)");

    private static final String PROMPT = ".prompt_encoder.";

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

    /** Returns the name of trained rows of an embedding's table, which is PEFT's. */
    public static String rows(String module, String adapter) {
        return module + ".token_adapter.trainable_tokens_delta." + adapter;
    }

    /** Returns the name of virtual tokens' rows; in PEFT {@code prompt_encoder} is a module of the whole model. */
    public static String prompt(String module, String adapter) {
        return module + PROMPT + adapter + ".embedding.weight";
    }

    /** Returns the name of a table that an adapter trains whole, which is PEFT's. */
    public static String table(String module, String adapter) {
        return module + ".modules_to_save." + adapter + ".weight";
    }

    /** Tells whether a graph has virtual tokens, whose ids are below zero. */
    public static boolean hasPrompt(SameDiff graph) {
        return graph.variables().stream().anyMatch(variable -> variable.name().contains(PROMPT));
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
