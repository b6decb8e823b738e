package dev.samediff.adapters;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One adapter as numbers, without a graph: what files hold and what {@link AdaptedModel} gives and takes.
 *
 * @param config the configuration the adapter was made with
 * @param sites the adapted layers in a fixed order; none if tensors were trained whole alone
 * @param whole the tensors that were trained whole, in a fixed order
 * @param baseHash SHA-256 (hexadecimal) over the adapted layers' base weights, see {@link BaseHash#of}
 */
public record AdapterState(AdapterConfig config, List<Site> sites, List<Whole> whole, String baseHash) {
    /** The weight hash of a layer whose base weight is unknown, as in folders that PEFT saved; it fits every weight. */
    public static final String UNKNOWN_HASH = "";

    /** The number of inputs or outputs of a layer of which a folder does not say it, as of PEFT's (IA)^3; it fits every layer. */
    public static final int UNKNOWN_SIZE = 0;

    public AdapterState {
        sites = List.copyOf(sites);
        whole = List.copyOf(whole);
        if (sites.isEmpty() && whole.isEmpty()) {
            throw new InvalidInputException(
                    "the adapter `" + config.name() + "` has no layers, and nothing that is trained whole");
        }
    }

    /** Describes an adapter without tensors that were trained whole. */
    public AdapterState(AdapterConfig config, List<Site> sites, String baseHash) {
        this(config, sites, List.of(), baseHash);
    }

    /** Returns how many virtual tokens stand in front of every text, see {@link VirtualTokens}; 0 without any. */
    public int virtualTokens() {
        return whole.stream()
                .filter(Whole::isPrompt)
                .mapToInt(prompt -> Math.toIntExact(prompt.tensor().size(0)))
                .sum();
    }

    /** Returns the same adapter under another name, such as to add one that was saved under a name that is taken. */
    public AdapterState withName(String name) {
        return new AdapterState(config.withName(name), sites, whole, baseHash);
    }

    /**
     * Returns the same weight change as plain LoRA factors for the unchanged base weights, one entry per layer.
     *
     * <p>A method that starts at zero keeps its rank: {@code A' = A, B' = B}. Otherwise the change from the start is
     * {@code s (A B - A0 B0) = s [A | A0] [B ; -B0]}, of rank 2r with alpha doubled, so that alpha'/r' is s (rank-stabilised
     * scaling is resolved into alpha'). Ranks that are zero now, as SORSA cuts them, are left out of the first part. Of DoRA these are the directions, and the lengths of the columns come with them.
     *
     * @throws InvalidInputException if the method is none of low rank ((IA)^3, bottleneck adapters), which no factors express
     */
    public List<PlainLora> toPlainLora() {
        return sites.stream().map(site -> site.toPlainLora(config.method())).toList();
    }

    /**
     * One tensor that was trained whole, as PyTorch's module holds it: a linear layer's weight is [out,in]; or some rows of an
     * embedding's table.
     *
     * @param key its name there: module path, dot, parameter, such as {@code classifier.weight}
     * @param variable name of the variable in the graph it was made from
     * @param rows which rows of the table were trained; empty means all of the tensor
     * @param tensor its values; of rows [rows, width], in their order
     */
    public record Whole(String key, String variable, List<Integer> rows, INDArray tensor) {
        public Whole {
            rows = List.copyOf(rows);
            if (!rows.isEmpty() && (tensor.rank() != 2 || tensor.size(0) != rows.size())) {
                throw new InvalidInputException("the trained rows of `" + key + "` are "
                        + Arrays.toString(tensor.shape()) + "; expected " + rows.size() + " rows, one for each token");
            }
        }

        /** The key of virtual tokens' rows, which is PEFT's. */
        public static final String PROMPT = "prompt_embeddings";

        /** Describes a tensor of which everything was trained. */
        public Whole(String key, String variable, INDArray tensor) {
            this(key, variable, List.of(), tensor);
        }

        /** Tells whether these are the rows of virtual tokens, see {@link VirtualTokens}. */
        public boolean isPrompt() {
            return key.equals(PROMPT);
        }

        /** Returns the module path. */
        public String module() {
            int dot = key.lastIndexOf('.');
            return dot < 0 ? key : key.substring(0, dot);
        }
    }

    /**
     * One adapted layer. All tensors have the shapes of {@code y = x W}: A [in,r], S [r], B [r,out], float32; of
     * experts with an axis of them in front ({@link ExpertTensors}).
     *
     * @param module module path
     * @param weight name of the weight variable in the graph it was made from
     * @param in input features, or {@link #UNKNOWN_SIZE}
     * @param out output features, or {@link #UNKNOWN_SIZE}
     * @param rank the layer's rank
     * @param alpha the layer's alpha; {@code rank} (or sqrt(rank) for rank-stabilised scaling) when s is 1
     * @param scaling factor s of the branch
     * @param tensors trained tensors by short name ({@code lora_A}, {@code lora_B}, {@code sorsa_A}, ...)
     * @param start the same tensors before training; equal keys
     * @param startsAtZero whether the start's weight change is zero, so that the base weight stays as it was
     * @param weightHash SHA-256 (hexadecimal) of the base weight as stored: float32, little-endian, row-major;
     *     {@link #UNKNOWN_HASH} if nobody knows
     * @param kind what the layer does with its weight
     * @param kernel sizes of the kernel, if it is a convolution, whose {@code in} is that of all places of it; none otherwise
     */
    public record Site(
            String module,
            String weight,
            int in,
            int out,
            int rank,
            double alpha,
            double scaling,
            Map<String, INDArray> tensors,
            Map<String, INDArray> start,
            boolean startsAtZero,
            String weightHash,
            SiteKind kind,
            List<Integer> kernel) {
        /** The same layer with the factors of a LoRA, alpha being {@code s r}. */
        Site withLora(
                double newScaling, Map<String, INDArray> factors, Map<String, INDArray> startFactors, String hash) {
            INDArray a = Objects.requireNonNull(factors.get("lora_A"));
            int newRank = Math.toIntExact(a.size(-1));
            return new Site(
                    module,
                    weight,
                    in,
                    out,
                    newRank,
                    newScaling * newRank,
                    newScaling,
                    factors,
                    startFactors,
                    true,
                    hash,
                    kind,
                    kernel);
        }

        /** Returns the same layer of another base weight, or of any ({@link #UNKNOWN_HASH}). */
        public Site withWeightHash(String hash) {
            return new Site(
                    module, weight, in, out, rank, alpha, scaling, tensors, start, startsAtZero, hash, kind, kernel);
        }

        /** Describes a layer that is no convolution. */
        public Site(
                String module,
                String weight,
                int in,
                int out,
                int rank,
                double alpha,
                double scaling,
                Map<String, INDArray> tensors,
                Map<String, INDArray> start,
                boolean startsAtZero,
                String weightHash,
                SiteKind kind) {
            this(
                    module,
                    weight,
                    in,
                    out,
                    rank,
                    alpha,
                    scaling,
                    tensors,
                    start,
                    startsAtZero,
                    weightHash,
                    kind,
                    List.of());
        }

        /** Describes a linear layer. */
        public Site(
                String module,
                String weight,
                int in,
                int out,
                int rank,
                double alpha,
                double scaling,
                Map<String, INDArray> tensors,
                Map<String, INDArray> start,
                boolean startsAtZero,
                String weightHash) {
            this(
                    module,
                    weight,
                    in,
                    out,
                    rank,
                    alpha,
                    scaling,
                    tensors,
                    start,
                    startsAtZero,
                    weightHash,
                    SiteKind.LINEAR);
        }

        public Site {
            tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
            start = Collections.unmodifiableMap(new LinkedHashMap<>(start));
            kernel = List.copyOf(kernel);
            int places = kernel.stream().reduce(1, (a, b) -> a * b);
            boolean sizes = kernel.stream().allMatch(size -> size > 0) && places > 0 && in % places == 0;
            if (!kernel.isEmpty() && (kind != SiteKind.LINEAR || !sizes)) {
                throw new InvalidInputException("the layer `" + module + "` [" + in + "," + out + "] has the kernel "
                        + kernel + ", which does not fit " + in + " inputs of all its places");
            }
            if (!tensors.keySet().equals(start.keySet())) {
                throw new InvalidInputException("the layer `" + module + "` has the tensors " + tensors.keySet()
                        + " but the start tensors " + start.keySet() + "; both must be the same set");
            }
        }

        /** Returns the number of experts; one if it is no stack of them. */
        public int experts() {
            return kind == SiteKind.EXPERTS
                    ? Math.toIntExact(tensors.values().iterator().next().size(0))
                    : 1;
        }

        PlainLora toPlainLora(AdapterMethod method) {
            if (!method.isLowRank()) {
                throw new InvalidInputException("what the adapter does to the layer `" + module + "` (" + method.name()
                        + ") is no low-rank change of its weight; save the adapter as it is"
                        + (method.unmergeable().isPresent() ? "" : ", or merge it into the model"));
            }
            Map<String, INDArray> now = ExpertTensors.asLora(kind, method, tensors);
            Optional<INDArray> magnitude = method.magnitude().map(name -> get(tensors, name));
            Optional<INDArray> bias = method.bias().map(name -> get(tensors, name));
            if (startsAtZero) {
                return new PlainLora(
                        module,
                        weight,
                        in,
                        out,
                        rank,
                        scaling * rank,
                        get(now, "lora_A"),
                        get(now, "lora_B"),
                        kind,
                        kernel,
                        magnitude,
                        bias);
            }
            Map<String, INDArray> before = ExpertTensors.asLora(kind, method, start);
            int columns = kind == SiteKind.EXPERTS ? 2 : 1;
            INDArray[] present = withoutZeros(get(now, "lora_A"), get(now, "lora_B"));
            INDArray a = Nd4j.concat(columns, present[0], get(before, "lora_A"));
            INDArray b =
                    Nd4j.concat(columns - 1, present[1], get(before, "lora_B").neg());
            int both = Math.toIntExact(a.size(-1));
            return new PlainLora(module, weight, in, out, both, scaling * both, a, b, kind, kernel, magnitude, bias);
        }

        /** A and B of the ranks whose part of B is not zero, as SORSA leaves those that it has cut; of experts all. At least one. */
        private static INDArray[] withoutZeros(INDArray a, INDArray b) {
            int[] alive = b.rank() != 2
                    ? new int[0]
                    : IntStream.range(0, b.rows())
                            .filter(k -> b.getRow(k).amaxNumber().doubleValue() != 0)
                            .toArray();
            boolean some = alive.length > 0 && alive.length < b.size(0);
            return some ? new INDArray[] {a.getColumns(alive), b.getRows(alive)} : new INDArray[] {a, b};
        }

        private static INDArray get(Map<String, INDArray> map, String key) {
            INDArray value = map.get(key);
            if (value == null) {
                throw new IllegalStateException("there are the tensors " + map.keySet() + " without " + key);
            }
            return value;
        }
    }

    /**
     * A plain LoRA of one layer for the unchanged base: {@code delta = alpha / rank * A B}.
     *
     * @param module module path
     * @param weight name of the weight variable in the graph it was made from
     * @param in input features
     * @param out output features
     * @param rank rank
     * @param alpha alpha, so that alpha / rank is the scaling
     * @param a A [in,rank], of experts [experts,in,rank], float32 (PEFT's file holds the transpose)
     * @param b B [rank,out], of experts [experts,rank,out], float32 (PEFT's file holds the transpose)
     * @param kind what the layer does with its weight
     * @param kernel sizes of the kernel, if it is a convolution
     * @param magnitude the lengths of the columns [out] to which {@code W + delta} is brought (DoRA), if the method has them
     * @param bias c [out]; {@code alpha / rank c} is added to the layer's output, if the method does so
     */
    public record PlainLora(
            String module,
            String weight,
            int in,
            int out,
            int rank,
            double alpha,
            INDArray a,
            INDArray b,
            SiteKind kind,
            List<Integer> kernel,
            Optional<INDArray> magnitude,
            Optional<INDArray> bias) {}
}
