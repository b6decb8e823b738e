package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.tensorflow.framework.AttrValue;
import org.tensorflow.framework.FunctionDef;
import org.tensorflow.framework.GraphDef;
import org.tensorflow.framework.NodeDef;
import org.tensorflow.framework.OpDef;

/**
 * Puts the bodies of functions in the place of the nodes that call them, calls inside of bodies included.
 *
 * <p>A node of a body is named {@code <calling node>/<node>}. In a body, a tensor is named {@code node:output_arg:index};
 * which output of the node that is depends on the operator where it has several output arguments.
 */
final class FunctionInlining {
    private static final int DEEPEST = 100;
    private static final Set<String> CALLS = Set.of("PartitionedCall", "StatefulPartitionedCall");
    private static final Set<String> CONDITIONS = Set.of("If", "StatelessIf");
    private static final List<String> BATCH_NORM =
            List.of("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3");
    /** Output arguments of operators that have several, one tensor each. */
    private static final Map<String, List<String>> OUTPUTS = Map.of(
            "TopKV2", List.of("values", "indices"),
            "TopK", List.of("values", "indices"),
            "FusedBatchNorm", BATCH_NORM,
            "FusedBatchNormV2", BATCH_NORM,
            "FusedBatchNormV3", BATCH_NORM,
            "Unique", List.of("y", "idx"),
            "UniqueV2", List.of("y", "idx"),
            "SoftmaxCrossEntropyWithLogits", List.of("loss", "backprop"),
            "SparseSoftmaxCrossEntropyWithLogits", List.of("loss", "backprop"));

    private final Map<String, FunctionDef> library = new HashMap<>();
    private final List<NodeDef> flat = new ArrayList<>();
    private final Map<String, String> replaced = new HashMap<>();

    private FunctionInlining(GraphDef graph) {
        graph.getLibrary()
                .getFunctionList()
                .forEach(function -> library.put(function.getSignature().getName(), function));
    }

    /**
     * The nodes of a graph without calls.
     *
     * @param nodes by name
     * @param replaced what stands for the results of calls that are gone
     */
    record Flat(Map<String, TensorFlowNode> nodes, Map<String, String> replaced) {
        /** Returns the tensor that stands for a tensor of the graph as it was. */
        String tensor(String name) {
            String now = TensorFlowNode.tensor(name);
            while (replaced.containsKey(now)) {
                now = replaced.get(now);
            }
            return now;
        }
    }

    /**
     * Returns the nodes of a graph with all calls inlined.
     *
     * @throws InvalidInputException if a function is missing or calls itself
     */
    static Flat inlined(GraphDef graph) {
        FunctionInlining inlining = new FunctionInlining(graph);
        graph.getNodeList().forEach(node -> inlining.add(node, 0));
        while (inlining.decide()) {
            // a branch may have conditions of its own
        }
        Flat names = new Flat(Map.of(), inlining.replaced);
        Map<String, TensorFlowNode> nodes = new LinkedHashMap<>();
        for (NodeDef node : inlining.flat) {
            NodeDef.Builder rewired = node.toBuilder().clearInput();
            for (String input : node.getInputList()) {
                if (!input.startsWith("^")) {
                    rewired.addInput(names.tensor(input));
                }
            }
            nodes.put(node.getName(), new TensorFlowNode(rewired.build()));
        }
        return new Flat(nodes, inlining.replaced);
    }

    /** Puts the branch that is taken in the place of conditions that are known; tells whether there were any. */
    private boolean decide() {
        Flat names = new Flat(Map.of(), replaced);
        Map<String, NodeDef> byName = new HashMap<>();
        flat.forEach(node -> byName.put(node.getName(), node));
        Predicates predicates = new Predicates(tensor -> {
            NodeDef node = byName.get(TensorFlowNode.node(names.tensor(tensor)));
            return node == null ? null : new TensorFlowNode(node);
        });
        List<NodeDef> before = List.copyOf(flat);
        flat.clear();
        boolean found = false;
        for (NodeDef node : before) {
            boolean isIf = CONDITIONS.contains(node.getOp()) && node.getInputCount() > 0;
            Optional<Boolean> truth = isIf ? predicates.of(names.tensor(node.getInput(0))) : Optional.empty();
            if (truth.isEmpty()) {
                flat.add(node);
            } else {
                found = true;
                add(branch(node, truth.get() ? "then_branch" : "else_branch"), 0);
            }
        }
        return found;
    }

    private static NodeDef branch(NodeDef node, String attribute) {
        NodeDef.Builder call = node.toBuilder()
                .setOp("PartitionedCall")
                .putAttr("f", node.getAttrOrDefault(attribute, AttrValue.getDefaultInstance()))
                .clearInput();
        node.getInputList().stream().skip(1).forEach(call::addInput);
        return call.build();
    }

    private void add(NodeDef node, int depth) {
        boolean call = CALLS.contains(node.getOp());
        String function = call
                ? node.getAttrOrDefault("f", AttrValue.getDefaultInstance())
                        .getFunc()
                        .getName()
                : node.getOp();
        FunctionDef body = library.get(function);
        if (call && body == null) {
            throw new InvalidInputException("node '" + node.getName() + "' calls the function '" + function
                    + "', which the file does not have; it has " + Names.some(library.keySet())
                    + ": the file is incomplete, export it again");
        }
        if (body == null) {
            flat.add(node);
            return;
        }
        if (depth > DEEPEST) {
            throw new InvalidInputException("function '" + function + "', called by '" + node.getName()
                    + "', calls itself; recursion cannot be imported: export one pass of the model");
        }
        Map<String, AttrValue> given = call
                ? node.getAttrOrDefault("f", AttrValue.getDefaultInstance())
                        .getFunc()
                        .getAttrMap()
                : node.getAttrMap();
        expand(node, body, given, depth + 1);
    }

    private void expand(NodeDef call, FunctionDef function, Map<String, AttrValue> given, int depth) {
        TensorFlowNode caller = new TensorFlowNode(call);
        Body body = new Body(call.getName(), function, caller.inputs());
        for (NodeDef node : function.getNodeDefList()) {
            NodeDef.Builder copy = node.toBuilder().clearInput().setName(call.getName() + "/" + node.getName());
            for (String input : node.getInputList()) {
                if (!input.startsWith("^")) {
                    copy.addInput(body.tensor(input));
                }
            }
            node.getAttrMap().forEach((key, value) -> {
                if (given.containsKey(value.getPlaceholder())) {
                    copy.putAttr(key, given.get(value.getPlaceholder()));
                }
            });
            add(copy.build(), depth);
        }
        int index = 0;
        for (OpDef.ArgDef output : function.getSignature().getOutputArgList()) {
            String returned = function.getRetMap().get(output.getName());
            if (returned == null) {
                throw new InvalidInputException(
                        "function '" + function.getSignature().getName() + "' does not say what '" + output.getName()
                                + "' is; the file is damaged: export it again");
            }
            replaced.put(caller.output(index++), body.tensor(returned));
        }
    }

    /** The names inside of one call. */
    private final class Body {
        private final String prefix;
        private final FunctionDef function;
        private final Map<String, String> arguments = new HashMap<>();
        private final Map<String, String> operators = new HashMap<>();

        Body(String prefix, FunctionDef function, List<String> given) {
            this.prefix = prefix;
            this.function = function;
            List<OpDef.ArgDef> wanted = function.getSignature().getInputArgList();
            if (wanted.size() != given.size()) {
                throw new InvalidInputException(
                        "node '" + prefix + "' gives " + given.size() + " inputs to the function '"
                                + function.getSignature().getName() + "', which takes " + wanted.size()
                                + "; the file is damaged: export it again");
            }
            for (int i = 0; i < given.size(); i++) {
                arguments.put(wanted.get(i).getName(), given.get(i));
            }
            function.getNodeDefList().forEach(node -> operators.put(node.getName(), node.getOp()));
        }

        /** {@code argument} or {@code node:output_arg:index} as a tensor of the flat graph. */
        String tensor(String name) {
            if (arguments.containsKey(name)) {
                return arguments.get(name);
            }
            String[] parts = name.split(":", -1);
            String operator = operators.get(parts[0]);
            if (operator == null) {
                throw new InvalidInputException(
                        "function '" + function.getSignature().getName() + "' reads '" + name
                                + "', which is neither an argument nor a node of it; the file is damaged: export it again");
            }
            int within = parts.length > 2 ? TensorFlowNode.output("x:" + parts[2]) : 0;
            int output = parts.length > 1 ? Math.max(0, position(operator, parts[1])) + within : 0;
            return prefix + "/" + parts[0] + (output == 0 ? "" : ":" + output);
        }

        private int position(String operator, String argument) {
            FunctionDef called = library.get(operator);
            List<String> names = called == null
                    ? OUTPUTS.getOrDefault(operator, List.of())
                    : called.getSignature().getOutputArgList().stream()
                            .map(OpDef.ArgDef::getName)
                            .toList();
            return names.indexOf(argument);
        }
    }
}
