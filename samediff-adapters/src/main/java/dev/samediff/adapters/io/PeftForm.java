package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.graph.ConvolutionKernels;
import dev.samediff.adapters.method.Dora;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A plain LoRA as PEFT's {@code LoraConfig} and {@code load_peft_weights} read it.
 *
 * <p>Written so that nothing depends on the reader's version or base model: {@code target_modules} are the full module
 * paths, other ranks and alphas are pinned by {@code ^path}, alpha / r is the scaling ({@code use_rslora} false), the start
 * is plain ({@code init_lora_weights} true, so that PEFT never decomposes the base again), and keys newer than PEFT 0.7 are
 * left out. {@code fan_in_fan_out} is false also for Conv1D layers: an ONNX file does not tell them from transposed Linear
 * layers, the tensors are the same, and PEFT corrects the flag by the module's class.
 *
 * <p>Tensors: {@code <module>.lora_A.weight [r,in]} and {@code .lora_B.weight [out,r]} of a linear layer,
 * {@code <module>.lora_embedding_A [r,vocabulary]} and {@code .lora_embedding_B [dim,r]} of an embedding; of experts in one tensor
 * see {@link PeftExperts}. Of a convolution they have the axes of its kernel: A [r,in,k...], B [out,r,1...], lengths [1,out,1...].
 */
record PeftForm(ObjectNode config, Map<String, INDArray> tensors) {
    static final String CONFIG = "adapter_config.json";
    static final String BASE_MODEL = "base_model_name_or_path";
    static final String DROPOUT = "lora_dropout";
    static final String TASK = "task_type";
    static final String TENSORS = "adapter_model.safetensors";
    static final String TARGETS = "target_modules";
    /** PEFT's word for an adapter without layers: it looks for none. */
    static final String NO_LAYERS = "dummy-target-modules";

    static final String PREFIX = "base_model.model.";
    static final String A = ".lora_A.weight";
    static final String B = ".lora_B.weight";
    static final String MAGNITUDE = "." + Dora.MAGNITUDE;
    static final String BIAS = ".lora_B.bias";
    static final String EMBEDDING_A = ".lora_embedding_A";
    static final String EMBEDDING_B = ".lora_embedding_B";

    /** Returns the form that PEFT has for the method itself, if it has one, and else the plain LoRA; nothing if that is none either. */
    static Optional<PeftForm> own(AdapterState state, AdapterFolder.Description description) {
        if (PeftPrompt.isIn(state) && !PeftPrompt.expresses(state)) {
            return Optional.empty();
        }
        if (PeftIa3.expresses(state)) {
            return Optional.of(PeftIa3.of(state, description));
        }
        if (!state.config().method().isLowRank() && !state.sites().isEmpty()) {
            return Optional.empty();
        }
        PeftForm plain = of(state, description);
        return Optional.of(PeftAdaLora.expresses(state) ? PeftAdaLora.of(state, plain) : plain);
    }

    static PeftForm of(AdapterState state, AdapterFolder.Description description) {
        if (PeftPrompt.isIn(state)) {
            return PeftPrompt.of(state, description);
        }
        if (PeftTokens.expresses(state)) {
            return PeftTokens.of(state, description);
        }
        List<AdapterState.PlainLora> layers = state.toPlainLora();
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        Map<String, String> experts = PeftExperts.prefixes(layers);
        for (AdapterState.PlainLora layer : layers) {
            requireFinite(layer.a(), layer.module());
            requireFinite(layer.b(), layer.module());
            layer.magnitude().ifPresent(lengths -> {
                requireFinite(lengths, layer.module());
                tensors.put(
                        PREFIX + layer.module() + MAGNITUDE,
                        layer.kernel().isEmpty()
                                ? lengths.dup('c')
                                : ConvolutionKernels.pointwise(lengths.dup('c').reshape(1, -1), layer.kernel()));
            });
            layer.bias().ifPresent(bias -> {
                requireFinite(bias, layer.module());
                tensors.put(PREFIX + layer.module() + BIAS, bias.dup('c'));
            });
            switch (layer.kind()) {
                case LINEAR -> put(tensors, layer, A, B);
                case EMBEDDING -> put(tensors, layer, EMBEDDING_A, EMBEDDING_B);
                case EXPERTS -> {
                    String prefix = PREFIX + experts.get(PeftExperts.parameter(layer));
                    tensors.put(prefix + A, PeftExperts.down(layer.a()));
                    tensors.put(prefix + B, PeftExperts.up(layer.b()));
                }
            }
        }
        tensors.putAll(PeftWhole.tensors(state));
        ObjectNode config = config(layers, description);
        config.put(DROPOUT, state.config().dropout());
        config.put(PeftWhole.BIAS, state.config().whole().bias().text());
        List<String> modules = PeftWhole.modules(state);
        if (!modules.isEmpty()) {
            modules.forEach(config.putArray(PeftWhole.MODULES)::add);
        }
        PeftWhole.writeTokens(state, config);
        return new PeftForm(config, tensors);
    }

    void write(Path folder) throws IOException {
        new Safetensors(tensors, Safetensors.PYTORCH).write(folder.resolve(TENSORS));
        DurableFiles.writeText(folder.resolve(CONFIG), JsonFile.pretty(config));
    }

    private static ObjectNode config(List<AdapterState.PlainLora> layers, AdapterFolder.Description description) {
        int rank = mostFrequent(layers, AdapterState.PlainLora::rank).orElse(8);
        double alpha = mostFrequent(
                        layers.stream().filter(layer -> layer.rank() == rank).toList(), AdapterState.PlainLora::alpha)
                .orElse(8.0);
        ObjectNode ranks = JsonNodeFactory.instance.objectNode();
        ObjectNode alphas = JsonNodeFactory.instance.objectNode();
        ArrayNode targets = JsonNodeFactory.instance.arrayNode();
        ArrayNode parameters = JsonNodeFactory.instance.arrayNode();
        for (AdapterState.PlainLora layer : layers) {
            boolean experts = layer.kind() == SiteKind.EXPERTS;
            String name = experts ? PeftExperts.parameter(layer) : layer.module();
            (experts ? parameters : targets).add(name);
            if (layer.rank() != rank) {
                ranks.put(pinned(name), layer.rank());
            }
            if (layer.alpha() != alpha) {
                put(alphas, pinned(name), layer.alpha());
            }
        }
        ObjectNode config = JsonNodeFactory.instance.objectNode(); // in the alphabet's order, as PEFT writes it
        config.set("alpha_pattern", alphas);
        config.putNull("auto_mapping");
        config.put(BASE_MODEL, description.baseModel().orElse(null));
        config.put("bias", "none");
        config.put("fan_in_fan_out", false);
        config.put("inference_mode", true);
        config.put("init_lora_weights", true);
        config.putNull("layers_pattern");
        config.putNull("layers_to_transform");
        put(config, "lora_alpha", alpha);
        if (layers.stream().anyMatch(layer -> layer.bias().isPresent())) { // newer than PEFT 0.13
            config.put("lora_bias", true);
        }
        config.put(DROPOUT, 0.0);
        config.putNull("modules_to_save");
        config.put("peft_type", "LORA");
        config.put("r", rank);
        config.set("rank_pattern", ranks);
        config.putNull("revision");
        if (layers.isEmpty()) {
            config.put(TARGETS, NO_LAYERS);
        } else {
            config.set(TARGETS, targets);
        }
        if (!parameters.isEmpty()) {
            config.set(PeftExperts.PARAMETERS, parameters);
        }
        config.put(TASK, description.taskType().orElse(null));
        config.put(
                "use_dora", layers.stream().anyMatch(layer -> layer.magnitude().isPresent()));
        config.put("use_rslora", false);
        return config;
    }

    /** A pattern of PEFT that matches this module and no module whose path ends like it. */
    private static String pinned(String module) {
        return "^" + module.replaceAll("[^A-Za-z0-9_.-]", "\\\\$0");
    }

    /** Puts a whole number as one. */
    static void put(ObjectNode node, String key, double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e9) {
            node.put(key, (int) value);
        } else {
            node.put(key, value);
        }
    }

    private static <T extends Comparable<T>> Optional<T> mostFrequent(
            List<AdapterState.PlainLora> layers, Function<AdapterState.PlainLora, T> property) {
        return layers.stream()
                .collect(Collectors.groupingBy(property, TreeMap::new, Collectors.counting()))
                .entrySet()
                .stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey);
    }

    private static void put(Map<String, INDArray> tensors, AdapterState.PlainLora layer, String a, String b) {
        INDArray down = layer.a().transpose().dup('c');
        INDArray up = layer.b().transpose().dup('c');
        tensors.put(PREFIX + layer.module() + a, ConvolutionKernels.unfolded(down, layer.kernel()));
        tensors.put(PREFIX + layer.module() + b, ConvolutionKernels.pointwise(up, layer.kernel()));
    }

    static void requireFinite(INDArray factor, String module) {
        double sum = factor.mul(0).sumNumber().doubleValue(); // 0 * NaN and 0 * infinity are NaN
        if (Double.isNaN(sum)) {
            throw new InvalidInputException("the adapter of `" + module
                    + "` has values that are not finite; the training diverged: save an earlier checkpoint, or train"
                    + " with a lower learning rate");
        }
    }
}
