package dev.samediff.adapters.io;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.SiteKind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stacks of experts in PEFT's files (0.17 and later): {@code target_parameters} names the parameters, and the module that holds
 * one gets {@code <module>.lora_A.weight [experts * r, in]}, the experts one behind the other, and {@code <module>.lora_B.weight
 * [out, r * experts]}, for each rank all experts. Of several parameters of one module the later ones wrap the earlier ones:
 * the tensors of the last are {@code <module>.lora_A}, of the one before it {@code <module>.base_layer.lora_A}.
 *
 * <p>in and out are those of the layer, which is what PEFT 0.19.1 and later mean: it looks at the module's
 * {@code is_transposed}, which transformers sets where a weight is [experts,in,out]. PEFT 0.17 to 0.19.0 means the second axis of
 * the parameter, which is the same for [experts,in,out], and not for [experts,out,in].
 */
final class PeftExperts {
    static final String PARAMETERS = "target_parameters";
    private static final String WRAPPED = ".base_layer";

    private PeftExperts() {}

    /**
     * Returns the name of the parameter that a stack's weight is in PyTorch: the weight's own, if it lies in the module that it is
     * called after, otherwise that of the module path, whose last part is the parameter then.
     */
    static String parameter(AdapterState.PlainLora layer) {
        return layer.weight().startsWith(layer.module() + ".") ? layer.weight() : layer.module();
    }

    /** Returns the start of a stack's tensors' names, without the prefix of PEFT's files. */
    static Map<String, String> prefixes(List<AdapterState.PlainLora> layers) {
        Map<String, List<String>> byModule = new LinkedHashMap<>();
        for (AdapterState.PlainLora layer : layers) {
            if (layer.kind() == SiteKind.EXPERTS) {
                String parameter = parameter(layer);
                byModule.computeIfAbsent(owner(parameter), owner -> new ArrayList<>())
                        .add(parameter);
            }
        }
        Map<String, String> prefixes = new LinkedHashMap<>();
        byModule.forEach((owner, parameters) -> {
            for (int i = 0; i < parameters.size(); i++) {
                prefixes.put(parameters.get(i), owner + WRAPPED.repeat(parameters.size() - 1 - i));
            }
        });
        return prefixes;
    }

    /** The module that holds a parameter. PEFT knows none in the model itself; such a one stands for its module here. */
    private static String owner(String parameter) {
        int dot = parameter.lastIndexOf('.');
        return dot < 0 ? parameter : parameter.substring(0, dot);
    }

    /** A [experts,in,r] as PEFT's lora_A [experts * r, in]. */
    static INDArray down(INDArray a) {
        return a.permute(0, 2, 1).dup('c').reshape('c', a.size(0) * a.size(2), a.size(1));
    }

    /** B [experts,r,out] as PEFT's lora_B [out, r * experts]. */
    static INDArray up(INDArray b) {
        return b.permute(2, 1, 0).dup('c').reshape('c', b.size(2), b.size(1) * b.size(0));
    }

    /** The way back from {@link #down}. */
    static INDArray a(INDArray down, int rank) {
        return down.dup('c')
                .reshape('c', down.size(0) / rank, rank, down.size(1))
                .permute(0, 2, 1)
                .dup('c');
    }

    /** The way back from {@link #up}. */
    static INDArray b(INDArray up, int rank) {
        return up.dup('c')
                .reshape('c', up.size(0), rank, up.size(1) / rank)
                .permute(2, 1, 0)
                .dup('c');
    }

    /**
     * Returns the name of the parameter that tensors in a file belong to.
     *
     * @param path module path in the file, as {@code model.layers.0.mlp.experts.base_layer}
     * @param parameters entries of target_parameters: names of parameters, or ends of names; of several in one module the first is
     *     the innermost one
     * @return nothing if the tensors are those of a module
     */
    static Optional<String> parameter(String path, List<String> parameters) {
        String owner = path;
        int depth = 0;
        while (owner.endsWith(WRAPPED)) {
            owner = owner.substring(0, owner.length() - WRAPPED.length());
            depth++;
        }
        List<String> held = new ArrayList<>();
        for (String entry : parameters) {
            boolean alone = entry.equals(owner) && entry.indexOf('.') < 0;
            String parameter = alone ? entry : owner + "." + entry.substring(entry.lastIndexOf('.') + 1);
            if ((parameter.equals(entry) || parameter.endsWith("." + entry)) && !held.contains(parameter)) {
                held.add(parameter);
            }
        }
        return depth < held.size() ? Optional.of(held.get(held.size() - 1 - depth)) : Optional.empty();
    }
}
