package dev.samediff.importer.tensorflow;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.tensorflow.framework.NodeDef;

/**
 * Conditions of TensorFlow 1 that are known: a Switch hands its tensor to one of two branches, a Merge takes what comes from
 * the branch that was taken. Both are gone afterwards, with the other branch.
 */
final class DecidedSwitches {
    private final Map<String, TensorFlowNode> nodes;
    private final Map<String, String> replaced = new HashMap<>();
    private final Set<String> deadNodes = new HashSet<>();
    private final Set<String> deadTensors = new HashSet<>();

    private DecidedSwitches(Map<String, TensorFlowNode> nodes) {
        this.nodes = nodes;
    }

    /** Returns the nodes without Switch and Merge nodes whose condition is known; loops keep theirs. */
    static FunctionInlining.Flat decided(FunctionInlining.Flat flat) {
        boolean any = flat.nodes().values().stream()
                .anyMatch(node ->
                        node.operator().equals("Switch") || node.operator().equals("RefSwitch"));
        return any ? new DecidedSwitches(flat.nodes()).decide(flat) : flat;
    }

    private FunctionInlining.Flat decide(FunctionInlining.Flat flat) {
        Predicates predicates = new Predicates(tensor -> nodes.get(TensorFlowNode.node(tensor)));
        nodes.values().stream().filter(DecidedSwitches::isSwitch).forEach(node -> {
            Optional<Boolean> condition = predicates.of(node.inputs().get(1));
            condition.ifPresent(truth -> {
                replaced.put(node.output(truth ? 1 : 0), node.inputs().get(0));
                deadTensors.add(node.output(truth ? 0 : 1));
            });
        });
        boolean changed = true;
        while (changed) {
            changed = false;
            for (TensorFlowNode node : nodes.values()) {
                changed |= spread(node);
            }
        }
        Map<String, String> all = new HashMap<>(flat.replaced());
        all.putAll(replaced);
        FunctionInlining.Flat names = new FunctionInlining.Flat(Map.of(), all);
        Map<String, TensorFlowNode> left = new LinkedHashMap<>();
        nodes.forEach((name, node) -> {
            if (!deadNodes.contains(name) && !isReplaced(node)) {
                NodeDef.Builder rewired = node.proto().toBuilder().clearInput();
                node.inputs().forEach(input -> rewired.addInput(names.tensor(input)));
                left.put(name, new TensorFlowNode(rewired.build()));
            }
        });
        return new FunctionInlining.Flat(left, all);
    }

    private static boolean isSwitch(TensorFlowNode node) {
        return (node.operator().equals("Switch") || node.operator().equals("RefSwitch"))
                && node.inputs().size() == 2;
    }

    private boolean isReplaced(TensorFlowNode node) {
        return replaced.containsKey(node.output(0)) || replaced.containsKey(node.output(1));
    }

    /** A node that reads a tensor of a branch that is not taken does not run; a Merge takes the other. */
    private boolean spread(TensorFlowNode node) {
        if (deadNodes.contains(node.name()) || replaced.containsKey(node.output(0))) {
            return false;
        }
        if (node.operator().equals("Merge") || node.operator().equals("RefMerge")) {
            List<String> live = new ArrayList<>(node.inputs());
            live.removeIf(this::isDead);
            if (live.isEmpty()) {
                return deadNodes.add(node.name());
            }
            boolean decided = live.size() == 1 && node.inputs().size() > 1;
            if (decided) {
                replaced.put(node.output(0), live.get(0));
            }
            return decided;
        }
        return node.inputs().stream().anyMatch(this::isDead) && deadNodes.add(node.name());
    }

    private boolean isDead(String tensor) {
        return deadTensors.contains(tensor) || deadNodes.contains(TensorFlowNode.node(tensor));
    }
}
