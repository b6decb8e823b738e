package dev.samediff.importer.onnx;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import onnx.Onnx.FunctionProto;
import onnx.Onnx.NodeProto;

/**
 * Names for the nodes of modules that torch.onnx exported as functions ({@code export_modules_as_functions}).
 *
 * <p>A call is named after the module that its last node is in, and its own class: {@code /mlp/fc1/Linear},
 * {@code /mlp/down_proj/Gated}. So the class says nothing about the path; the module before it is the layer if there is one
 * product inside, and the last one's of several otherwise, which is no name for the others.
 */
final class ModuleCalls {
    private static final Set<String> PRODUCTS = Set.of("MatMul", "Gemm", "Conv", "Einsum");
    private static final int DEEPEST = 16;
    private static final int SEVERAL = 2;

    private final Map<String, FunctionProto> functions = new HashMap<>();

    ModuleCalls(Collection<FunctionProto> functions) {
        functions.forEach(function -> this.functions.put(key(function.getDomain(), function.getName()), function));
    }

    private static String key(String domain, String name) {
        return domain + ":" + name;
    }

    /** Where the nodes of a call belong. */
    static final class Scope {
        private final Optional<String> path;
        private final boolean several;
        private int products;

        private Scope(Optional<String> path, boolean several) {
            this.path = path;
            this.several = several;
        }

        /** Returns the name for a node of the function's body; nothing if the call's own name is no module's. */
        Optional<String> name(NodeProto node) {
            return path.map(scope -> {
                boolean product = several && PRODUCTS.contains(node.getOpType());
                String inner =
                        product && !scope.isEmpty() ? "product_" + products++ + "/" + node.getOpType() : node.getName();
                return scope.isEmpty() ? inner : scope + "/" + inner;
            });
        }
    }

    /** Returns where the nodes of a call belong. */
    Scope scope(NodeProto call, FunctionProto function) {
        String name = call.getName();
        int last = name.lastIndexOf('/');
        String own = name.substring(last + 1);
        if (!own.matches(java.util.regex.Pattern.quote(call.getOpType()) + "(_\\d+)?")) {
            return new Scope(Optional.empty(), false);
        }
        String module = last < 0 ? "" : name.substring(0, last);
        boolean several = products(function, 0) >= SEVERAL;
        int child = module.lastIndexOf('/');
        return new Scope(Optional.of(several && child >= 0 ? module.substring(0, child) : module), several);
    }

    private int products(FunctionProto function, int depth) {
        int count = 0;
        for (NodeProto node : function.getNodeList()) {
            FunctionProto called = functions.get(key(node.getDomain(), node.getOpType()));
            if (called != null && depth < DEEPEST) {
                count += products(called, depth + 1);
            } else if (PRODUCTS.contains(node.getOpType()) && node.getDomain().isEmpty()) {
                count++;
            }
        }
        return count;
    }
}
