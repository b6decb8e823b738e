package dev.samediff.adapters.engine.program;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A computation: nodes in an order in which they can run.
 *
 * @param nodes the nodes; every tensor is defined before it is used
 * @param leaves tensors whose values come from the graph or the caller, by variable
 * @param literals tensors whose values are part of the program
 * @param outputs what is computed, by name
 */
public record Program(
        List<Node> nodes, Map<String, Tensor> leaves, Map<Tensor, INDArray> literals, Map<String, Tensor> outputs) {
    public Program {
        nodes = List.copyOf(nodes);
    }

    /**
     * Returns an output.
     *
     * @throws IllegalArgumentException if there is none of this name
     */
    public Tensor output(String name) {
        Tensor tensor = outputs.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("the program has no output `" + name + "`; it has " + outputs.keySet());
        }
        return tensor;
    }

    /** Returns this without nodes, leaves and literals that no output needs. */
    public Program withoutDeadNodes() {
        Set<Tensor> live = liveTensors();
        List<Node> kept = nodes.stream()
                .filter(node -> node.outputs().stream().anyMatch(live::contains))
                .toList();
        Map<String, Tensor> keptLeaves = new LinkedHashMap<>(leaves);
        keptLeaves.values().retainAll(live);
        Map<Tensor, INDArray> keptLiterals = new LinkedHashMap<>(literals);
        keptLiterals.keySet().retainAll(live);
        return new Program(kept, keptLeaves, keptLiterals, outputs);
    }

    private Set<Tensor> liveTensors() {
        Map<Tensor, Node> producers = producers();
        Set<Tensor> live = new HashSet<>();
        Deque<Tensor> open = new ArrayDeque<>(outputs.values());
        while (!open.isEmpty()) {
            Tensor tensor = open.pop();
            Node node = producers.get(tensor);
            if (live.add(tensor) && node != null) {
                open.addAll(node.inputs());
            }
        }
        return live;
    }

    /** Returns the node that defines each computed tensor. */
    public Map<Tensor, Node> producers() {
        Map<Tensor, Node> producers = new LinkedHashMap<>();
        nodes.forEach(node -> node.outputs().forEach(output -> producers.put(output, node)));
        return producers;
    }

    /** Returns the nodes that read each tensor, once for every time they do. */
    public Map<Tensor, List<Node>> consumers() {
        Map<Tensor, List<Node>> consumers = new LinkedHashMap<>();
        nodes.forEach(node -> node.inputs()
                .forEach(input -> consumers
                        .computeIfAbsent(input, tensor -> new ArrayList<>())
                        .add(node)));
        return consumers;
    }

    /**
     * Returns the floating point tensors through which a gradient by some leaves flows: those that depend on them by way of
     * floating point tensors. What goes through whole numbers or truth values has no gradient.
     *
     * @param names names of leaves; those that are none of this program do not count
     */
    public Set<Tensor> trained(Collection<String> names) {
        Set<Tensor> trained = new HashSet<>();
        for (String name : names) {
            Tensor leaf = leaves.get(name);
            if (leaf != null && leaf.type().isFPType()) {
                trained.add(leaf);
            }
        }
        for (Node node : nodes) {
            if (!(node.op() instanceof Op.Detach) && node.inputs().stream().anyMatch(trained::contains)) {
                node.outputs().stream()
                        .filter(output -> output.type().isFPType())
                        .forEach(trained::add);
            }
        }
        return trained;
    }
}
