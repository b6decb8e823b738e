package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Ia3;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * (IA)^3 in PEFT's files ({@code peft_type} IA3): {@code <module>.ia3_l} is [1,in] of a layer whose input is multiplied, and [out,1] of one whose
 * output is. {@code feedforward_modules} lists the former, by full module paths, as {@code target_modules} lists all.
 *
 * <p>A folder does not say the other size of a layer: it is unknown until the adapter is put into a graph.
 */
final class PeftIa3 {
    static final String TYPE = "IA3";
    static final String FEEDFORWARD = "feedforward_modules";
    private static final String TENSOR = ".ia3_l";

    private PeftIa3() {}

    /** Whether an adapter multiplies layers. */
    static boolean expresses(AdapterState state) {
        return state.config().method() instanceof Ia3 && !state.sites().isEmpty();
    }

    /** Returns the form of an adapter that {@link #expresses}. */
    static PeftForm of(AdapterState state, AdapterFolder.Description description) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        ArrayNode targets = JsonNodeFactory.instance.arrayNode();
        ArrayNode feedforward = JsonNodeFactory.instance.arrayNode();
        for (AdapterState.Site site : state.sites()) {
            INDArray inputs = site.tensors().get(Ia3.SCALES.inputs());
            INDArray factors = inputs == null ? site.tensors().get(Ia3.SCALES.outputs()) : inputs;
            if (factors == null) {
                throw new IllegalStateException("the layer `" + site.module() + "` has "
                        + site.tensors().keySet());
            }
            PeftForm.requireFinite(factors, site.module());
            targets.add(site.module());
            if (inputs != null) {
                feedforward.add(site.module());
            }
            tensors.put(
                    PeftForm.PREFIX + site.module() + TENSOR,
                    inputs == null
                            ? factors.dup('c').reshape(-1, 1)
                            : factors.dup('c').reshape(1, -1));
        }
        tensors.putAll(PeftWhole.tensors(state));
        ObjectNode config = JsonNodeFactory.instance.objectNode(); // in the alphabet's order, as PEFT writes it
        config.putNull("auto_mapping");
        config.put(PeftForm.BASE_MODEL, description.baseModel().orElse(null));
        config.put("fan_in_fan_out", false);
        config.set(FEEDFORWARD, feedforward);
        config.put("inference_mode", true);
        config.put("init_ia3_weights", true);
        config.putNull(PeftWhole.MODULES);
        List<String> modules = PeftWhole.modules(state);
        if (!modules.isEmpty()) {
            modules.forEach(config.putArray(PeftWhole.MODULES)::add);
        }
        config.put("peft_type", TYPE);
        config.putNull("revision");
        config.set(PeftForm.TARGETS, targets);
        config.put(PeftForm.TASK, description.taskType().orElse(null));
        return new PeftForm(config, tensors);
    }

    /** Reads an adapter from a configuration of this type and its tensors. */
    static AdapterState read(
            JsonFile config, WholeTensors choice, Map<String, INDArray> tensors, String name, Path file) {
        List<AdapterState.Site> sites = new ArrayList<>();
        List<String> feedforward = new ArrayList<>();
        Map<String, String> hashes = new TreeMap<>();
        tensors.forEach((key, tensor) -> {
            if (PeftWhole.key(key, choice).isEmpty()) {
                String module = requireModule(key, tensor, file);
                boolean inputs = tensor.length() == 1 ? isNamed(config, module) : tensor.size(0) == 1;
                if (inputs) {
                    feedforward.add(module);
                }
                sites.add(site(module, tensor, inputs));
                hashes.put(module, AdapterState.UNKNOWN_HASH);
            }
        });
        if (sites.isEmpty()) {
            throw new InvalidInputException(file + " holds no tensors of layers; save the adapter again");
        }
        TargetSelector targets = TargetSelector.suffixes(
                sites.stream().map(AdapterState.Site::module).toList());
        return new AdapterState(
                new AdapterConfig(name, Ia3.ofFeedforward(feedforward.toArray(new String[0])), targets, 0, choice, 0),
                sites,
                PeftWhole.read(tensors, choice, file),
                BaseHash.of(hashes));
    }

    private static String requireModule(String key, INDArray tensor, Path file) {
        boolean named = key.startsWith(PeftForm.PREFIX)
                && key.endsWith(TENSOR)
                && key.length() > PeftForm.PREFIX.length() + TENSOR.length();
        if (!named) {
            throw new InvalidInputException("the tensor `" + key + "` in " + file + " is not supported in an adapter of"
                    + " the type " + TYPE + "; expected " + PeftForm.PREFIX + "<module path>" + TENSOR
                    + ", or what modules_to_save names: merge the adapter in PEFT instead");
        }
        boolean vector = tensor.rank() == 2 && (tensor.size(0) == 1 || tensor.size(1) == 1);
        if (!vector || tensor.isEmpty() || !tensor.dataType().isFPType()) {
            throw new InvalidInputException("the tensor `" + key + "` in " + file + " is " + tensor.dataType()
                    + Arrays.toString(tensor.shape())
                    + "; expected floating-point numbers [1,in] or [out,1] of a linear"
                    + " layer: merge an adapter of convolutions in PEFT instead");
        }
        return key.substring(PeftForm.PREFIX.length(), key.length() - TENSOR.length());
    }

    /** Whether a layer of one number is among the feed-forward ones, by PEFT's rule for a list. */
    private static boolean isNamed(JsonFile config, String module) {
        JsonNode value = config.raw(FEEDFORWARD);
        return value != null
                && value.isArray()
                && config.texts(FEEDFORWARD).stream().anyMatch(module::endsWith);
    }

    private static AdapterState.Site site(String module, INDArray tensor, boolean inputs) {
        INDArray factors = tensor.castTo(DataType.FLOAT).dup('c').reshape(tensor.length());
        int size = Math.toIntExact(tensor.length());
        String shortName = inputs ? Ia3.SCALES.inputs() : Ia3.SCALES.outputs();
        return new AdapterState.Site(
                module,
                module + ".weight",
                inputs ? size : AdapterState.UNKNOWN_SIZE,
                inputs ? AdapterState.UNKNOWN_SIZE : size,
                1,
                1,
                1,
                Map.of(shortName, factors),
                Map.of(shortName, Nd4j.ones(DataType.FLOAT, size)),
                true,
                AdapterState.UNKNOWN_HASH,
                SiteKind.LINEAR);
    }
}
