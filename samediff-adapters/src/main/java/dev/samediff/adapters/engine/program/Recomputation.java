package dev.samediff.adapters.engine.program;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Trades time for memory: between two places of the forward pass where hardly anything is alive, such as the residual stream
 * between two blocks, nothing is kept for the backward pass; it computes the block once more when it gets there (gradient
 * checkpointing, Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost").
 */
public final class Recomputation {
    /** A place is a cut if at most this many times as many bytes cross it as the fewest in the middle of the network. */
    private static final double SLACK = 1.3;

    private final Program program;
    private final Map<Tensor, Node> producers;
    private final List<Node> result = new ArrayList<>();
    private final Map<Tensor, Tensor> again = new LinkedHashMap<>();
    private final Set<Tensor> kept = new HashSet<>();

    private Recomputation(Program program) {
        this.program = program;
        this.producers = program.producers();
    }

    /**
     * Returns a program with the same outputs that keeps less.
     *
     * @param program a forward and backward pass
     * @param loss the name of the last output of the forward pass
     */
    public static Program apply(Program program, String loss) {
        return new Recomputation(program).run(loss);
    }

    private Program run(String loss) {
        Tensor end = program.output(loss);
        List<Node> forward = ancestors(end);
        Set<Node> isForward = new HashSet<>(forward);
        keep(forward);
        Map<String, Tensor> outputs = new LinkedHashMap<>(program.outputs());
        for (Node node : program.nodes()) {
            if (isForward.contains(node)) {
                result.add(node);
            } else {
                List<Tensor> inputs = new ArrayList<>();
                for (Tensor input : node.inputs()) {
                    Node producer = producers.get(input);
                    inputs.add(producer != null && isForward.contains(producer) ? recompute(input) : input);
                }
                result.add(new Node(node.op(), inputs, node.outputs()));
            }
        }
        return new Program(result, program.leaves(), program.literals(), outputs);
    }

    private List<Node> ancestors(Tensor end) {
        Set<Tensor> needed = new HashSet<>(Set.of(end));
        List<Node> found = new ArrayList<>();
        List<Node> nodes = program.nodes();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            if (nodes.get(i).outputs().stream().anyMatch(needed::contains)) {
                needed.addAll(nodes.get(i).inputs());
                found.add(0, nodes.get(i));
            }
        }
        return found;
    }

    /** Keeps what crosses the cuts, and everything behind the last one. */
    private void keep(List<Node> forward) {
        List<Set<Tensor>> crossing = crossing(forward);
        long fewest = crossing.subList(forward.size() / 10, forward.size() * 9 / 10).stream()
                .mapToLong(Recomputation::bytes)
                .min()
                .orElse(0);
        int last = 0;
        for (int i = 0; i < forward.size(); i++) {
            if (bytes(crossing.get(i)) >= fewest && bytes(crossing.get(i)) <= SLACK * fewest) {
                kept.addAll(crossing.get(i));
                last = i;
            }
        }
        for (int i = last; i < forward.size(); i++) {
            kept.addAll(forward.get(i).outputs());
        }
        kept.addAll(program.outputs().values());
        forward.stream()
                .filter(node -> node.op() instanceof Op.Nd4j op && op.call().isRandom())
                .forEach(node -> kept.addAll(node.outputs()));
    }

    /** Returns for each node the computed tensors that are defined up to it and read after it. */
    private List<Set<Tensor>> crossing(List<Node> forward) {
        Map<Tensor, Integer> lastRead = new LinkedHashMap<>();
        for (int i = 0; i < forward.size(); i++) {
            for (Tensor input : forward.get(i).inputs()) {
                lastRead.put(source(input), i);
            }
        }
        Set<Tensor> alive = new HashSet<>();
        List<Set<Tensor>> crossing = new ArrayList<>();
        for (int i = 0; i < forward.size(); i++) {
            int now = i;
            if (!(forward.get(i).op() instanceof Op.View)) {
                alive.addAll(forward.get(i).outputs());
            }
            alive.removeIf(tensor -> lastRead.getOrDefault(tensor, -1) <= now);
            crossing.add(new HashSet<>(alive));
        }
        return crossing;
    }

    /** Returns the tensor whose memory a view shows. */
    private Tensor source(Tensor tensor) {
        Node node = producers.get(tensor);
        return node != null && node.op() instanceof Op.View ? source(node.input(0)) : tensor;
    }

    private static long bytes(Collection<Tensor> tensors) {
        return tensors.stream()
                .mapToLong(tensor -> tensor.length() * tensor.type().width())
                .sum();
    }

    private Tensor recompute(Tensor tensor) {
        Node node = producers.get(tensor);
        if (node == null || kept.contains(tensor)) {
            return tensor;
        }
        Tensor known = again.get(tensor);
        if (known != null) {
            return known;
        }
        List<Tensor> inputs = new ArrayList<>();
        for (Tensor input : node.inputs()) {
            inputs.add(recompute(input));
        }
        List<Tensor> outputs = new ArrayList<>();
        for (Tensor output : node.outputs()) {
            Tensor copy = new Tensor(output.name() + " again", output.type(), output.shape());
            outputs.add(copy);
            again.put(output, copy);
        }
        result.add(new Node(node.op(), inputs, outputs));
        Tensor copy = again.get(tensor);
        return copy == null ? tensor : copy;
    }
}
