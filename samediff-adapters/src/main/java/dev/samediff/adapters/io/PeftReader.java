package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.BiasedLora;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Lora;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reads a LoRA that PEFT saved, with the modules and biases that were trained whole beside it. What would change the result and is not supported is refused by name; what only concerns
 * training in PEFT (the start of A) is ignored; dropout is kept for further training.
 */
final class PeftReader {
    /** Options that change what the adapter computes; each must be absent, null, false, empty or its default. */
    static final List<String> UNSUPPORTED = List.of(
            "use_qalora",
            "use_bdlora",
            "layer_replication",
            "alora_invocation_tokens",
            "arrow_config",
            "kasa_config",
            "monteclora_config",
            "velora_config");

    private static final Set<String> STARTS_THAT_KEEP_THE_BASE = Set.of("gaussian", "eva", "orthogonal", "mica");

    private static final String TYPE = "peft_type";
    private static final List<String> TYPES =
            List.of("LORA", PeftAdaLora.TYPE, PeftTokens.TYPE, PeftIa3.TYPE, PeftPrompt.TYPE);
    private static final String LORA_BIAS = "lora_bias";
    private static final String USE_DORA = "use_dora";

    private PeftReader() {}

    static AdapterState read(Path folder, String name) throws IOException {
        Path configFile = folder.resolve(PeftForm.CONFIG);
        JsonFile config = JsonFile.read(configFile);
        requireSupported(config, configFile);
        Map<String, INDArray> tensors = tensors(folder);
        if (config.text(TYPE).equals(PeftPrompt.TYPE)) {
            return PeftPrompt.read(config, tensors, name, folder.resolve(PeftForm.TENSORS));
        }
        WholeTensors choice = PeftWhole.choice(config, tensors);
        if (config.text(TYPE).equals(PeftAdaLora.TYPE)) {
            return PeftAdaLora.read(config, choice, tensors, name, folder.resolve(PeftForm.TENSORS));
        }
        if (config.text(TYPE).equals(PeftIa3.TYPE)) {
            return PeftIa3.read(config, choice, tensors, name, folder.resolve(PeftForm.TENSORS));
        }
        if (config.text(TYPE).equals(PeftTokens.TYPE)) {
            return PeftTokens.read(config, tensors, name, folder.resolve(PeftForm.TENSORS));
        }
        JsonNode chosen = config.raw(PeftForm.TARGETS);
        boolean noLayers = !choice.isEmpty() && chosen != null && PeftForm.NO_LAYERS.equals(chosen.asText());
        Map<String, PeftFactors> factors = PeftFactors.of(
                tensors,
                choice,
                folder.resolve(PeftForm.TENSORS),
                config.has(PeftExperts.PARAMETERS) ? config.texts(PeftExperts.PARAMETERS) : List.of());
        if (factors.isEmpty() && !noLayers) {
            throw new InvalidInputException(
                    folder.resolve(PeftForm.TENSORS) + " holds no tensors of layers; save the adapter again");
        }
        int rank = config.count("r");
        boolean rankStabilized = config.flag("use_rslora", false);
        Lora lora = new Lora(rank, OptionalDouble.of(alpha(config)), rankStabilized, Lora.Start.KAIMING_UNIFORM);
        boolean isDora = config.flag(USE_DORA, false);
        boolean isBiased = config.flag(LORA_BIAS, false);
        if (isDora && isBiased) {
            throw new InvalidInputException("the adapter in " + configFile + " has both `" + USE_DORA + "` and `"
                    + LORA_BIAS + "`, which PEFT does not allow either; train it with one of them");
        }
        AdapterMethod method = isDora ? new Dora(lora) : isBiased ? new BiasedLora(lora) : lora;
        TargetSelector targets = (noLayers
                        ? TargetSelector.none()
                        : TargetSelector.suffixes(List.copyOf(factors.keySet())))
                .withRankPattern(config.countsByName("rank_pattern"))
                .withAlphaPattern(config.numbersByName("alpha_pattern"));
        List<AdapterState.Site> sites = new ArrayList<>();
        Map<String, String> hashes = new TreeMap<>();
        factors.forEach((module, ab) -> {
            int expected = targets.rank(module, rank);
            boolean experts = ab.kind() == SiteKind.EXPERTS;
            boolean fits = experts
                    ? ab.a().rows() % expected == 0
                            && ab.b().columns() == ab.a().rows()
                    : ab.a().rows() == expected && ab.b().columns() == expected;
            if (!fits) {
                String each = experts ? expected + " * experts" : String.valueOf(expected);
                throw new InvalidInputException("the layer `" + module + "` in " + folder + " has A "
                        + Arrays.toString(ab.a().shape()) + " and B "
                        + Arrays.toString(ab.b().shape())
                        + "; expected [" + each + ",in] and [out," + each + "] by r and rank_pattern in "
                        + PeftForm.CONFIG + ": both files must come from one training");
            }
            requireLengths(module, ab, isDora, folder);
            requireBias(module, ab, isBiased, folder);
            sites.add(site(
                    module,
                    ab,
                    expected,
                    method,
                    targets.alpha(module, method.alpha()).orElseThrow()));
            hashes.put(module, ab.tableHash());
        });
        return new AdapterState(
                new AdapterConfig(name, method, targets, 0, choice, dropout(config)),
                sites,
                PeftWhole.read(tensors, choice, folder.resolve(PeftForm.TENSORS)),
                BaseHash.of(hashes));
    }

    private static double alpha(JsonFile config) {
        double alpha = config.number("lora_alpha");
        if (!(alpha > 0)) {
            throw config.wrong(
                    "lora_alpha",
                    alpha,
                    "a number above 0; PEFT switches the adapter off by 0 and subtracts it below 0, which is not"
                            + " supported: merge it in PEFT");
        }
        return alpha;
    }

    static double dropout(JsonFile config) {
        double dropout = config.optionalNumber(PeftForm.DROPOUT).orElse(0.0);
        if (!(dropout >= 0 && dropout < 1)) {
            throw config.wrong(PeftForm.DROPOUT, String.valueOf(dropout), "0 or more, and less than 1");
        }
        return dropout;
    }

    /** The lengths of columns are there if and only if the configuration has them, one for each output. */
    private static void requireLengths(String module, PeftFactors ab, boolean isDora, Path folder) {
        INDArray lengths = ab.lengths();
        if (isDora && ab.kind() == SiteKind.EXPERTS) {
            throw new InvalidInputException("the experts `" + module + "` in " + folder + " have `" + USE_DORA
                    + "`, which is not supported on experts; merge the adapter in PEFT, or train without it");
        }
        if (isDora != (lengths != null)) {
            throw new InvalidInputException("the layer `" + module + "` in " + folder + " has "
                    + (isDora ? "no " : "the tensor ") + PeftForm.MAGNITUDE.substring(1) + ", and " + PeftForm.CONFIG
                    + " has " + USE_DORA + " = " + isDora + ": both files must come from one training");
        }
        if (lengths != null && lengths.length() != ab.b().size(0)) {
            throw new InvalidInputException("the tensor `" + module + PeftForm.MAGNITUDE + "` in " + folder
                    + " has the shape " + Arrays.toString(lengths.shape()) + "; expected ["
                    + ab.b().size(0) + "], one number for each output");
        }
    }

    /** Biases are there if and only if the configuration has them, on linear layers, one number for each output. */
    private static void requireBias(String module, PeftFactors ab, boolean isBiased, Path folder) {
        INDArray bias = ab.bias();
        if (isBiased && ab.kind() != SiteKind.LINEAR) {
            throw new InvalidInputException("`" + module + "` in " + folder + " is no linear layer and has `"
                    + LORA_BIAS + "`, which PEFT does not allow either; train it without");
        }
        if (isBiased != (bias != null)
                || (bias != null && bias.length() != ab.b().size(0))) {
            throw new InvalidInputException("the layer `" + module + "` in " + folder + " has "
                    + (bias == null ? "no " : Arrays.toString(bias.shape()) + " as ") + PeftForm.BIAS.substring(1)
                    + ", " + PeftForm.CONFIG + " has " + LORA_BIAS + " = " + isBiased + ", and the layer "
                    + ab.b().size(0) + " outputs: both files must come from one training");
        }
    }

    private static AdapterState.Site site(String module, PeftFactors ab, int rank, AdapterMethod method, double alpha) {
        boolean experts = ab.kind() == SiteKind.EXPERTS;
        INDArray down = ab.a().castTo(DataType.FLOAT);
        INDArray up = ab.b().castTo(DataType.FLOAT);
        INDArray a = experts ? PeftExperts.a(down, rank) : down.transpose().dup('c');
        INDArray b = experts ? PeftExperts.b(up, rank) : up.transpose().dup('c');
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put("lora_A", a);
        tensors.put("lora_B", b);
        Map<String, INDArray> start = new LinkedHashMap<>();
        boolean embedding = ab.kind() == SiteKind.EMBEDDING;
        start.put("lora_A", embedding ? Nd4j.zeros(DataType.FLOAT, a.shape()) : a.dup('c'));
        start.put("lora_B", embedding ? b.dup('c') : Nd4j.zeros(DataType.FLOAT, b.shape()));
        INDArray lengths = ab.lengths();
        if (lengths != null) {
            tensors.put(Dora.MAGNITUDE, lengths.castTo(DataType.FLOAT));
            start.put(Dora.MAGNITUDE, lengths.castTo(DataType.FLOAT)); // unknown, and of no use: the start is zero
        }
        INDArray bias = ab.bias();
        if (bias != null) {
            tensors.put(BiasedLora.BIAS, bias.castTo(DataType.FLOAT));
            start.put(BiasedLora.BIAS, Nd4j.zeros(DataType.FLOAT, bias.shape()));
        }
        return new AdapterState.Site(
                module,
                ab.weight(),
                Math.toIntExact(a.size(-2)),
                Math.toIntExact(b.size(-1)),
                rank,
                alpha,
                method.scaling(rank, alpha),
                tensors,
                start,
                true,
                ab.tableHash(),
                ab.kind(),
                ab.kernel());
    }

    private static Map<String, INDArray> tensors(Path folder) throws IOException {
        Path file = folder.resolve(PeftForm.TENSORS);
        if (!Files.exists(file) && Files.exists(folder.resolve("adapter_model.bin"))) {
            throw new InvalidInputException("the adapter in " + folder
                    + " is a pickle (adapter_model.bin), which can run code when read; save it again in PEFT with"
                    + " save_pretrained(..., safe_serialization=True)");
        }
        return Safetensors.read(file).tensors();
    }

    private static void requireSupported(JsonFile config, Path file) {
        String type = config.text(TYPE);
        if (!TYPES.contains(type)) {
            throw new InvalidInputException("the adapter in " + file + " is of the type `" + JsonFile.shown(type)
                    + "`; only " + TYPES + " can be loaded");
        }
        for (String key : UNSUPPORTED) {
            if (isSet(config.raw(key))) {
                throw new InvalidInputException(
                        "the adapter in " + file + " uses `" + key + "` = " + JsonFile.shown(config.raw(key))
                                + ", which is not supported; merge it in PEFT, or train without it");
            }
        }
        JsonNode start = config.raw("init_lora_weights");
        if (start != null && start.isTextual() && !STARTS_THAT_KEEP_THE_BASE.contains(start.textValue())) {
            throw new InvalidInputException(
                    "the adapter in " + file + " started from `" + JsonFile.shown(start.textValue())
                            + "`, so its tensors fit a changed base weight that would have to be computed again; convert it in"
                            + " PEFT with save_pretrained(..., path_initial_model_for_weight_conversion=...), or load a folder"
                            + " that this library saved");
        }
    }

    private static boolean isSet(@org.jspecify.annotations.Nullable JsonNode value) {
        if (value == null || (value.isContainerNode() && value.isEmpty())) {
            return false;
        }
        return !value.isBoolean() || value.booleanValue();
    }
}
