package dev.samediff.importer.naming;

import dev.samediff.importer.onnx.OnnxNode;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Recovers the path of a module, as PyTorch and PEFT know it, from what the exporter left of it.
 *
 * <p>torch.onnx folds the transposition of a Linear weight into a new initializer ({@code onnx::MatMul_278}) and so loses
 * its name; the bias keeps its name, and newer exporters name nodes after modules.
 */
final class ModulePaths {
    private static final String PASSED = "(?:/read|/resource|/Read|/ReadVariableOp(?:_\\d+)?)*(?::\\d+)?";
    private static final Pattern KERNEL = Pattern.compile("(.+)/(?:depthwise_)?kernel" + PASSED);
    private static final Pattern READ = Pattern.compile(
            "(.+?)/(?:MatMul|Tensordot|einsum/Einsum|Conv2D|depthwise)/(?:MatMul/)?ReadVariableOp" + PASSED);

    private static final Pattern TABLE = Pattern.compile("([^/:]+(?:/[^/:]+)+?)(?:/embeddings)?" + PASSED);

    /** What ONNX Runtime's quantisers and this importer append to the names of tensors. */
    private static final Pattern QUANTISED = Pattern.compile(
            "(?:_quantized|_quant|_DequantizeLinear(?:_Output)?|_Q[48](?:G\\d+)?)?(?:::(?:dequantised|folded)(?:_\\d+)?)*$");

    /** ONNX Runtime's model builder names weights after nodes: {@code q_proj.MatMul.weight}, {@code q_proj.Add.bias}. */
    private static final Pattern BUILT = Pattern.compile("(?<=.)\\.(?:MatMul|Add|Gemm)$");

    /** Where torch's dynamo exporter writes the modules a node was called in. */
    private static final String SCOPES = "pkg.torch.onnx.name_scopes";

    private static final String PRODUCT = "(MatMul|MatMulNBits|Gemm|Conv|Gather)(_\\d+)?(_quant|_Q[48](G\\d+)?)?";

    private ModulePaths() {}

    /**
     * Returns the module path of a linear layer: from the weight's own name, else the bias's, else the node's. A bias may
     * be a parameter of the module above ({@code cls.predictions.bias} of BERT's decoder); the node then knows better.
     *
     * @param named whether the weight's own name may be used; not if the tensor is also an embedding table
     */
    static Optional<String> of(LinearUse use, boolean named) {
        return of(use, named, Prefixes.NONE);
    }

    /**
     * As {@link #of(LinearUse, boolean)}.
     *
     * @param prefixes what the names of nodes lack
     */
    static Optional<String> of(LinearUse use, boolean named, Prefixes prefixes) {
        String stored = unquantised(use.weight());
        Optional<String> weight =
                named ? withoutSuffix(stored, ".weight").or(() -> fromVariable(stored)) : Optional.empty();
        if (weight.isPresent()) {
            return weight;
        }
        Optional<String> bias = use.bias() == null ? Optional.empty() : withoutSuffix(unquantised(use.bias()), ".bias");
        Optional<String> node = ofNode(use.node(), prefixes);
        boolean biasIsAbove = bias.isPresent() && node.orElse("").startsWith(bias.get() + ".");
        return bias.isEmpty() || biasIsAbove ? node : bias;
    }

    /**
     * Returns the module path of an embedding: from the table's own name, unless that is a linear layer's, as when the
     * exporter kept the name of a tied head ({@code lm_head.weight}); then from the Gather's.
     */
    static Optional<String> ofTable(String table, OnnxNode gather, Set<String> linears, Prefixes prefixes) {
        String stored = unquantised(table);
        return withoutSuffix(stored, ".weight")
                .filter(path -> !linears.contains(path))
                .or(() -> stored.endsWith(".weight") ? ofNode(gather, prefixes) : fromTable(stored))
                .or(() -> fromMetadata(gather))
                .filter(path -> !linears.contains(path));
    }

    /** {@code bert/embeddings/word_embeddings} -> {@code bert.embeddings.word_embeddings}; Keras adds "/embeddings". */
    private static Optional<String> fromTable(String table) {
        Matcher variable = TABLE.matcher(table);
        return variable.matches() ? Optional.of(variable.group(1).replace('/', '.')) : Optional.empty();
    }

    /** A tensor's name without what quantisers append to it: {@code c_fc.weight_quantized} -> {@code c_fc.weight}. */
    static String unquantised(String tensor) {
        return QUANTISED.matcher(tensor).replaceFirst("");
    }

    private static Optional<String> withoutSuffix(String name, String suffix) {
        boolean usable = name.endsWith(suffix) && name.length() > suffix.length() && !name.startsWith("onnx::");
        return usable
                ? Optional.of(BUILT.matcher(name.substring(0, name.length() - suffix.length()))
                        .replaceFirst(""))
                : Optional.empty();
    }

    /**
     * {@code bert/layer_0/query/kernel} -> {@code bert.layer_0.query}: a variable of TensorFlow, or what freezing made of
     * its read ({@code model/dense/Tensordot/ReadVariableOp/resource}).
     */
    static Optional<String> fromVariable(String variable) {
        Matcher kernel = KERNEL.matcher(variable);
        Matcher read = kernel.matches() ? kernel : READ.matcher(variable);
        return read.matches() ? Optional.of(read.group(1).replace('/', '.')) : Optional.empty();
    }

    /** The module a node belongs to: by its name, or by what torch's dynamo exporter wrote beside it. */
    private static Optional<String> ofNode(OnnxNode node, Prefixes prefixes) {
        return fromNode(node.name()).map(prefixes::completed).or(() -> fromMetadata(node));
    }

    private static Optional<String> fromMetadata(OnnxNode node) {
        return Optional.ofNullable(node.metadata(SCOPES)).flatMap(ModulePaths::fromScopes);
    }

    /**
     * {@code ['', 'model', 'model.layers.0', 'model.layers.0.fc', 'linear_3']} -> {@code model.layers.0.fc}: the modules
     * around a node, outermost first, and the node itself.
     */
    static Optional<String> fromScopes(String scopes) {
        String inner = scopes.strip();
        if (!inner.startsWith("[") || !inner.endsWith("]")) {
            return Optional.empty();
        }
        String[] parts = inner.substring(1, inner.length() - 1).split(",", -1);
        for (int i = parts.length - 2; i >= 0; i--) {
            String module = parts[i].strip().replaceAll("^['\"]|['\"]$", "");
            if (!module.isEmpty()) {
                return Optional.of(module);
            }
        }
        return Optional.empty();
    }

    /** {@code /model/layers.0/self_attn/q_proj/MatMul} -> {@code model.layers.0.self_attn.q_proj}. */
    static Optional<String> fromNode(String node) {
        int last = node.lastIndexOf('/');
        if (last <= 0 || !node.substring(last + 1).matches(PRODUCT)) {
            return Optional.empty();
        }
        String path = node.substring(node.startsWith("/") ? 1 : 0, last).replace('/', '.');
        return path.isEmpty() ? Optional.empty() : Optional.of(path);
    }
}
