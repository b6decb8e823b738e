package dev.samediff.importer.naming;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Adapters of PEFT that were exported unmerged: torch.onnx leaves the containers {@code lora_A} and {@code lora_B} out of the
 * names of nodes, so that the factors of {@code q_proj} are called {@code /q_proj/default/MatMul} and
 * {@code /q_proj/default_1/MatMul}.
 */
final class ExportedAdapters {
    private final Map<String, String> paths = new HashMap<>();

    private ExportedAdapters() {}

    /** Finds pairs of products, one after the other, in a module beside or inside of a layer. */
    static ExportedAdapters of(List<LinearUse> uses, Prefixes prefixes) {
        ExportedAdapters adapters = new ExportedAdapters();
        Map<String, String> path = new HashMap<>();
        Set<String> layers = new HashSet<>();
        for (LinearUse use : uses) {
            ModulePaths.of(use, true, prefixes).ifPresent(found -> {
                path.put(use.weight(), found);
                layers.add(found);
            });
        }
        for (LinearUse down : uses) {
            for (LinearUse up : uses) {
                String module = path.getOrDefault(down.weight(), "");
                int last = module.lastIndexOf('.');
                boolean pair = last > 0
                        && path.getOrDefault(up.weight(), "")
                                .replaceFirst("_\\d+$", "")
                                .equals(module)
                        && !down.weight().equals(up.weight())
                        && up.node().inputs().contains(down.node().output(0));
                String layer = last > 0 ? module.substring(0, last) : "";
                if (pair && (layers.contains(layer) || layers.contains(layer + ".base_layer"))) {
                    adapters.paths.put(down.weight(), layer + ".lora_A" + module.substring(last));
                    adapters.paths.put(up.weight(), layer + ".lora_B" + module.substring(last));
                }
            }
        }
        return adapters;
    }

    /** Returns the module path of a factor; nothing of other weights. */
    Optional<String> get(String weight) {
        return Optional.ofNullable(paths.get(weight));
    }
}
