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
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.RankBudget;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * AdaLoRA in PEFT's files ({@code peft_type} ADALORA): {@code <module>.lora_A [k,in]}, {@code .lora_B [out,k]} and {@code .lora_E [k,1]}
 * hold the k ranks that a layer kept, perhaps none; {@code rank_pattern} says for each rank of the first ones, {@code init_r},
 * whether it was kept. The scaling is that of {@code init_r}; {@code r} means nothing.
 *
 * <p>Only ranks whose entry is zero are left out. (PEFT also cuts those of the last allocation that live again.) A layer is read
 * with its first rank, and zeros for what was cut.
 */
final class PeftAdaLora {
    static final String TYPE = "ADALORA";
    static final String FIRST_RANK = "init_r";
    private static final String PATTERN = "rank_pattern";
    private static final String A = "." + AdaLora.A;
    private static final String B = "." + AdaLora.B;
    private static final String E = "." + AdaLora.E;

    private PeftAdaLora() {}

    /** Whether PEFT's AdaLoRA can express an adapter: linear layers, no convolutions, of one rank and alpha. Others are written as a plain LoRA. */
    static boolean expresses(AdapterState state) {
        if (!(state.config().method() instanceof AdaLora) || state.sites().isEmpty()) {
            return false;
        }
        AdapterState.Site first = state.sites().get(0);
        return state.config().whole().tokens().isEmpty()
                && state.sites().stream()
                        .allMatch(site -> site.kind() == SiteKind.LINEAR
                                && site.kernel().isEmpty()
                                && site.rank() == first.rank()
                                && site.alpha() == first.alpha());
    }

    /** Returns the form of an adapter that {@link #expresses}, of what its plain one says of everything else. */
    static PeftForm of(AdapterState state, PeftForm plain) {
        AdaLora method = (AdaLora) state.config().method();
        Map<String, INDArray> tensors = new LinkedHashMap<>(PeftWhole.tensors(state));
        ObjectNode config = plain.config().deepCopy();
        ObjectNode pattern = config.putObject(PATTERN);
        boolean cut = false;
        for (AdapterState.Site site : state.sites()) {
            ArrayNode kept = pattern.putArray(site.module() + E);
            int[] ranks = kept(site, kept);
            cut |= ranks.length < site.rank();
            String prefix = PeftForm.PREFIX + site.module();
            tensors.put(prefix + A, rows(tensor(site, AdaLora.A).transpose(), ranks));
            tensors.put(prefix + B, rows(tensor(site, AdaLora.B), ranks).transpose());
            tensors.put(prefix + E, rows(tensor(site, AdaLora.E).reshape(-1, 1), ranks));
        }
        if (!cut) {
            config.putNull(PATTERN);
        }
        AdapterState.Site first = state.sites().get(0);
        RankBudget budget = method.budget();
        config.put("peft_type", TYPE);
        config.put("r", 8); // PEFT warns of any other
        PeftForm.put(config, "lora_alpha", first.alpha());
        config.putObject("alpha_pattern");
        config.put(FIRST_RANK, first.rank());
        config.put("target_r", budget.target().orElse(Math.max(1, first.rank() * 2 / 3)));
        config.put("tinit", budget.warmup());
        config.put("tfinal", budget.last());
        config.put("deltaT", budget.interval());
        config.put("beta1", budget.beta1());
        config.put("beta2", budget.beta2());
        config.put("orth_reg_weight", method.orthogonality());
        config.put("total_step", budget.total().orElse(budget.warmup() + budget.last() + 1)); // PEFT takes no less
        return new PeftForm(sorted(config), tensors);
    }

    private static ObjectNode sorted(ObjectNode config) {
        Map<String, JsonNode> byKey = new TreeMap<>();
        config.properties().forEach(field -> byKey.put(field.getKey(), field.getValue()));
        return JsonNodeFactory.instance.objectNode().setAll(byKey);
    }

    private static int[] kept(AdapterState.Site site, ArrayNode said) {
        double[] entries = tensor(site, AdaLora.E).toDoubleVector();
        List<Integer> kept = new ArrayList<>();
        for (int k = 0; k < entries.length; k++) {
            said.add(entries[k] != 0);
            if (entries[k] != 0) {
                kept.add(k);
            }
        }
        return kept.stream().mapToInt(k -> k).toArray();
    }

    private static INDArray tensor(AdapterState.Site site, String name) {
        INDArray tensor = site.tensors().get(name);
        if (tensor == null) {
            throw new IllegalStateException("the layer `" + site.module() + "` has no " + name);
        }
        PeftForm.requireFinite(tensor, site.module());
        return tensor;
    }

    private static INDArray rows(INDArray matrix, int[] rows) {
        INDArray chosen = Nd4j.create(matrix.dataType(), rows.length, matrix.size(1));
        for (int i = 0; i < rows.length; i++) {
            chosen.putRow(i, matrix.getRow(rows[i]));
        }
        return chosen;
    }

    /** Reads an adapter from a configuration of this type and its tensors. */
    static AdapterState read(
            JsonFile config, WholeTensors choice, Map<String, INDArray> tensors, String name, Path file) {
        int rank = count(config, FIRST_RANK, 12);
        double alpha = config.number("lora_alpha");
        AdaLora method = new AdaLora(
                rank,
                OptionalDouble.of(alpha > 0 ? alpha : rank),
                config.optionalNumber("orth_reg_weight").orElse(AdaLora.DEFAULT_ORTHOGONALITY),
                budget(config, rank));
        List<AdapterState.Site> sites = new ArrayList<>();
        Map<String, String> hashes = new TreeMap<>();
        for (String module : modules(tensors, choice, file)) {
            sites.add(site(module, tensors, kept(config, module), method, file));
            hashes.put(module, AdapterState.UNKNOWN_HASH);
        }
        TargetSelector targets = TargetSelector.suffixes(
                sites.stream().map(AdapterState.Site::module).toList());
        return new AdapterState(
                new AdapterConfig(name, method, targets, 0, choice, PeftReader.dropout(config)),
                sites,
                PeftWhole.read(tensors, choice, file),
                BaseHash.of(hashes));
    }

    private static RankBudget budget(JsonFile config, int rank) {
        int warmup = count(config, "tinit", 0);
        int last = count(config, "tfinal", 0);
        int total = count(config, "total_step", 0);
        return new RankBudget(
                OptionalInt.of(Math.min(count(config, "target_r", 8), rank)),
                warmup,
                last,
                count(config, "deltaT", 1),
                config.optionalNumber("beta1").orElse(RankBudget.DEFAULT.beta1()),
                config.optionalNumber("beta2").orElse(RankBudget.DEFAULT.beta2()),
                total > (long) warmup + last ? OptionalInt.of(total) : OptionalInt.empty());
    }

    private static int count(JsonFile config, String key, int absent) {
        return config.has(key) ? config.count(key) : absent;
    }

    private static Set<String> modules(Map<String, INDArray> tensors, WholeTensors choice, Path file) {
        Set<String> modules = new LinkedHashSet<>();
        for (String key : tensors.keySet()) {
            if (PeftWhole.key(key, choice).isPresent()) {
                continue;
            }
            String suffix =
                    List.of(A, B, E).stream().filter(key::endsWith).findFirst().orElse("");
            if (!key.startsWith(PeftForm.PREFIX)
                    || suffix.isEmpty()
                    || key.length() <= PeftForm.PREFIX.length() + suffix.length()) {
                throw new InvalidInputException(
                        "the tensor `" + key + "` in " + file + " is not supported in an adapter of"
                                + " the type " + TYPE + "; expected " + PeftForm.PREFIX + "<module path>" + A + ", " + B
                                + " and " + E
                                + ", or what modules_to_save and bias name: merge the adapter in PEFT instead");
            }
            modules.add(key.substring(PeftForm.PREFIX.length(), key.length() - suffix.length()));
        }
        if (modules.isEmpty()) {
            throw new InvalidInputException(file + " holds no tensors; save the adapter again");
        }
        return modules;
    }

    /** Which of the first ranks a layer kept; nothing if the file does not say, which means all. */
    private static boolean @Nullable [] kept(JsonFile config, String module) {
        JsonNode pattern = config.raw(PATTERN);
        if (pattern == null || !pattern.isObject()) {
            return null;
        }
        for (Map.Entry<String, JsonNode> entry : pattern.properties()) {
            // early versions leave the adapter's name behind lora_E
            if (entry.getKey().equals(module + E) || entry.getKey().startsWith(module + E + ".")) {
                boolean[] kept = new boolean[entry.getValue().size()];
                for (int k = 0; k < kept.length; k++) {
                    JsonNode flag = entry.getValue().get(k);
                    if (!flag.isBoolean()) {
                        throw config.wrong(PATTERN, pattern, "true or false for each rank of a layer");
                    }
                    kept[k] = flag.booleanValue();
                }
                return kept;
            }
        }
        return null;
    }

    private static AdapterState.Site site(
            String module, Map<String, INDArray> tensors, boolean @Nullable [] pattern, AdaLora method, Path file) {
        INDArray a = get(tensors, module + A, file);
        INDArray b = get(tensors, module + B, file);
        INDArray e = get(tensors, module + E, file);
        boolean[] kept = pattern == null ? all(method.rank()) : pattern;
        long count = IntStream.range(0, kept.length).filter(k -> kept[k]).count();
        if (kept.length != method.rank()
                || a.rank() != 2
                || b.rank() != 2
                || a.size(0) != count
                || b.size(1) != count
                || e.length() != count) {
            throw new InvalidInputException("the layer `" + module + "` in " + file + " has A "
                    + Arrays.toString(a.shape()) + ", B " + Arrays.toString(b.shape()) + " and E "
                    + Arrays.toString(e.shape()) + "; expected [" + count + ",in], [out," + count + "] and [" + count
                    + ",1] by " + FIRST_RANK + " " + method.rank() + " and " + PATTERN + " in " + PeftForm.CONFIG
                    + ": both files must come from one training");
        }
        Map<String, INDArray> trained = new LinkedHashMap<>();
        trained.put(AdaLora.A, spread(a, kept).transpose().dup('c'));
        trained.put(AdaLora.E, spread(e.reshape(count, 1), kept).reshape(method.rank()));
        trained.put(AdaLora.B, spread(b.transpose(), kept));
        Map<String, INDArray> start = new LinkedHashMap<>(); // unknown, and of no use: it is zero
        trained.forEach((tensor, value) -> start.put(tensor, value.dup('c')));
        start.put(AdaLora.E, Nd4j.zeros(DataType.FLOAT, method.rank()));
        double alpha = method.alpha().orElseThrow();
        return new AdapterState.Site(
                module,
                module + ".weight",
                Math.toIntExact(a.size(1)),
                Math.toIntExact(b.size(0)),
                method.rank(),
                alpha,
                method.scaling(method.rank(), alpha),
                trained,
                start,
                true,
                AdapterState.UNKNOWN_HASH);
    }

    private static boolean[] all(int rank) {
        boolean[] all = new boolean[rank];
        Arrays.fill(all, true);
        return all;
    }

    private static INDArray get(Map<String, INDArray> tensors, String key, Path file) {
        INDArray tensor = tensors.get(PeftForm.PREFIX + key);
        if (tensor == null || !tensor.dataType().isFPType()) {
            throw new InvalidInputException("the tensor `" + PeftForm.PREFIX + key + "` in " + file
                    + (tensor == null ? " is missing" : " is " + tensor.dataType())
                    + "; expected floating-point numbers: save the adapter again");
        }
        return tensor;
    }

    /** Puts the rows that were kept in their places. */
    private static INDArray spread(INDArray rows, boolean[] kept) {
        INDArray all = Nd4j.zeros(DataType.FLOAT, kept.length, rows.size(1));
        int next = 0;
        for (int k = 0; k < kept.length; k++) {
            if (kept[k]) {
                all.putRow(k, rows.getRow(next++).castTo(DataType.FLOAT));
            }
        }
        return all;
    }
}
