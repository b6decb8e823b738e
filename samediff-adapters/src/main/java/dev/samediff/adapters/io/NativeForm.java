package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.BiasedLora;
import dev.samediff.adapters.method.Bottleneck;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Ia3;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.LongStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The subfolder from which a method can be resumed exactly: {@code adapter.json} and the trained and start tensors, bit for
 * bit, as {@code trained.<module path>.<short name>} and {@code start.<...>}, in the shapes of {@code y = x W}; tensors that were
 * trained whole as {@code whole.<name>}, as PyTorch's modules hold them.
 */
final class NativeForm {
    static final String FOLDER = "native";
    static final String CONFIG = "adapter.json";
    static final String TENSORS = "adapter.safetensors";
    private static final Set<String> OF_INPUTS = Set.of(Ia3.SCALES.inputs());
    private static final Set<String> OF_OUTPUTS =
            Set.of(Dora.MAGNITUDE, BiasedLora.BIAS, Ia3.SCALES.outputs(), Bottleneck.UP_BIAS);
    private static final int FORMAT = 1;
    private static final String KIND = "kind";
    private static final String EXPERTS = "experts";
    private static final String KERNEL = "kernel";
    private static final String PEFT_CONFIG = "peft_config";

    private NativeForm() {}

    /** Writes the subfolder; the PEFT form, if there is one, must be in the folder already, for its hash; {@code peft} is its configuration. */
    static void write(AdapterState state, Optional<ObjectNode> peft, Path adapter) throws IOException {
        Path folder = Files.createDirectories(adapter.resolve(FOLDER));
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        ArrayNode sites = JsonNodeFactory.instance.arrayNode();
        for (AdapterState.Site site : state.sites()) {
            site.tensors().forEach((name, array) -> tensors.put(key("trained", site.module(), name), array));
            site.start().forEach((name, array) -> tensors.put(key("start", site.module(), name), array));
            sites.add(json(site));
        }
        AdapterConfig config = state.config();
        AdapterMethod method = config.method();
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("format", FORMAT);
        json.put("name", config.name());
        json.put("method", method.name());
        json.put("rank", method.rank());
        if (method.alpha().isPresent()) {
            json.put("alpha", method.alpha().getAsDouble());
        } else {
            json.putNull("alpha");
        }
        method.settings().forEach(json.putObject("settings")::put);
        json.put("seed", config.seed());
        if (config.dropout() > 0) {
            json.put("dropout", config.dropout());
        }
        json.set("targets", TargetsJson.write(config.targets()));
        json.put("base_sha256", state.baseHash());
        if (peft.isPresent()) {
            json.put("peft_tensors_sha256", Sha256.of(adapter.resolve(PeftForm.TENSORS)));
            json.set(PEFT_CONFIG, DecidingKeys.of(peft.get()));
        }
        json.set("layers", sites);
        WholeJson.write(state, json, tensors);
        new Safetensors(tensors, Map.of("format", "samediff-adapters")).write(folder.resolve(TENSORS));
        DurableFiles.writeText(folder.resolve(CONFIG), JsonFile.pretty(json));
    }

    static AdapterState read(Path adapter) throws IOException {
        Path folder = adapter.resolve(FOLDER);
        JsonFile json = JsonFile.read(folder.resolve(CONFIG));
        int format = json.count("format");
        if (format != FORMAT) {
            throw new InvalidInputException("the adapter in " + folder + " has the format " + format
                    + "; this version reads format " + FORMAT + ": use the version that saved it");
        }
        requireUnchangedPeftForm(json, adapter);
        OptionalDouble alpha =
                json.optionalNumber("alpha").map(OptionalDouble::of).orElse(OptionalDouble.empty());
        AdapterMethod method =
                AdapterMethods.named(json.text("method"), json.count("rank"), alpha, json.textsByName("settings"));
        AdapterConfig config = new AdapterConfig(
                json.text("name"),
                method,
                TargetsJson.read(json.requiredObject("targets")),
                json.wholeNumber("seed"),
                WholeJson.read(json),
                json.optionalNumber("dropout").orElse(0.0));
        Path file = folder.resolve(TENSORS);
        Map<String, INDArray> tensors = new HashMap<>(Safetensors.read(file).tensors());
        List<AdapterState.Site> sites = new ArrayList<>();
        Map<String, String> hashes = new HashMap<>();
        for (JsonFile layer : json.objects("layers")) {
            sites.add(site(layer, tensors, file));
            hashes.put(layer.text("module"), layer.text("weight_sha256"));
        }
        List<AdapterState.Whole> whole = new ArrayList<>();
        for (JsonFile each : json.has(WholeJson.TENSORS) ? json.objects(WholeJson.TENSORS) : List.<JsonFile>of()) {
            String key = each.text("key");
            INDArray tensor = take(tensors, WholeJson.tensor(key), file);
            whole.add(new AdapterState.Whole(key, each.text("variable"), each.counts(WholeJson.ROWS), tensor));
        }
        if (!tensors.isEmpty()) {
            throw new InvalidInputException("the tensor `"
                    + tensors.keySet().iterator().next() + "` in " + file + " belongs to no layer in " + CONFIG
                    + "; both files must come from one save");
        }
        String baseHash = json.text("base_sha256");
        if (!baseHash.equals(BaseHash.of(hashes))) {
            throw json.wrong("base_sha256", baseHash, "the hash over the layers; the file was changed");
        }
        return new AdapterState(config, sites, whole, baseHash);
    }

    private static ObjectNode json(AdapterState.Site site) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("module", site.module());
        json.put("weight", site.weight());
        json.put("in", site.in());
        json.put("out", site.out());
        json.put("rank", site.rank());
        json.put("alpha", site.alpha());
        json.put("scaling", site.scaling());
        json.put("starts_at_zero", site.startsAtZero());
        json.put("weight_sha256", site.weightHash());
        if (site.kind() != SiteKind.LINEAR) {
            json.put(KIND, site.kind().name().toLowerCase(Locale.ROOT));
        }
        if (site.kind() == SiteKind.EXPERTS) {
            json.put(EXPERTS, site.experts());
        }
        if (!site.kernel().isEmpty()) {
            site.kernel().forEach(json.putArray(KERNEL)::add);
        }
        ArrayNode names = json.putArray("tensors");
        site.tensors().keySet().forEach(names::add);
        return json;
    }

    private static AdapterState.Site site(JsonFile layer, Map<String, INDArray> tensors, Path file) {
        String module = layer.text("module");
        Map<String, INDArray> trained = new LinkedHashMap<>();
        Map<String, INDArray> start = new LinkedHashMap<>();
        for (String name : layer.texts("tensors")) {
            trained.put(name, take(tensors, key("trained", module, name), file));
            start.put(name, take(tensors, key("start", module, name), file));
        }
        requireShapes(layer, trained, file);
        requireShapes(layer, start, file);
        return new AdapterState.Site(
                module,
                layer.text("weight"),
                layer.count("in"),
                layer.count("out"),
                layer.count("rank"),
                layer.number("alpha"),
                layer.number("scaling"),
                trained,
                start,
                layer.flag("starts_at_zero", false),
                layer.text("weight_sha256"),
                kind(layer),
                layer.counts(KERNEL));
    }

    private static SiteKind kind(JsonFile layer) {
        String linear = SiteKind.LINEAR.name().toLowerCase(Locale.ROOT);
        String kind = layer.optionalText(KIND).orElse(linear);
        for (SiteKind known : SiteKind.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(kind)) {
                return known;
            }
        }
        throw layer.wrong(
                KIND, kind, "linear, embedding or experts; the adapter may have been saved by a newer version");
    }

    private static void requireShapes(JsonFile layer, Map<String, INDArray> tensors, Path file) {
        int in = layer.count("in");
        int out = layer.count("out");
        int rank = layer.count("rank");
        long[] front = kind(layer) == SiteKind.EXPERTS ? new long[] {layer.count(EXPERTS)} : new long[0];
        tensors.forEach((name, tensor) -> {
            long[] expected = joined(front, ofOne(name, in, out, rank));
            if (!Arrays.equals(expected, tensor.shape())) {
                throw new InvalidInputException("the tensor `" + name + "` of `" + layer.text("module") + "` in "
                        + file + " has the shape " + Arrays.toString(tensor.shape()) + "; expected "
                        + Arrays.toString(expected) + ": both files must come from one save");
            }
        });
    }

    /** The shape of a tensor of one layer. */
    private static long[] ofOne(String name, int in, int out, int rank) {
        if (name.endsWith("_A")) {
            return new long[] {name.equals(Bottleneck.SERIAL_A) ? out : in, rank};
        }
        if (name.endsWith("_B")) {
            return new long[] {rank, out};
        }
        return new long[] {OF_INPUTS.contains(name) ? in : OF_OUTPUTS.contains(name) ? out : rank};
    }

    private static long[] joined(long[] front, long[] back) {
        return LongStream.concat(Arrays.stream(front), Arrays.stream(back)).toArray();
    }

    private static INDArray take(Map<String, INDArray> tensors, String key, Path file) {
        INDArray tensor = tensors.remove(key);
        if (tensor == null) {
            throw new InvalidInputException(
                    file + " has no tensor `" + key + "`; copy the whole folder again, or save the adapter again");
        }
        return tensor;
    }

    /** PEFT may have gone on training and saved into the same folder; the native form is out of date then. */
    private static void requireUnchangedPeftForm(JsonFile json, Path adapter) throws IOException {
        Path file = adapter.resolve(PeftForm.TENSORS);
        if (Files.exists(file) && !Sha256.of(file).equals(json.text("peft_tensors_sha256"))) {
            throw new InvalidInputException(file + " was changed after " + FOLDER + " was saved; delete "
                    + adapter.resolve(FOLDER) + " to load the changed LoRA, or copy the whole folder again");
        }
        requireUnchangedPeftConfig(json, adapter);
    }

    /** Two truths in one folder: neither is taken for the other. Adapters saved by early versions do not say what they had. */
    private static void requireUnchangedPeftConfig(JsonFile json, Path adapter) throws IOException {
        Path file = adapter.resolve(PeftForm.CONFIG);
        if (!json.has(PEFT_CONFIG) || !Files.exists(file)) {
            return;
        }
        Optional<String> difference = DecidingKeys.difference(
                json.requiredObject(PEFT_CONFIG).node(),
                DecidingKeys.of(JsonFile.read(file).node()));
        if (difference.isPresent()) {
            throw new InvalidInputException(file + " was changed after " + FOLDER + " was saved: " + difference.get()
                    + "; delete " + adapter.resolve(FOLDER)
                    + " to load the LoRA as it is configured now, or undo the change to load what was trained");
        }
    }

    private static String key(String kind, String module, String name) {
        return kind + "." + module + "." + name;
    }
}
