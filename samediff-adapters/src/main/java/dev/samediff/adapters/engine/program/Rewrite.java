package dev.samediff.adapters.engine.program;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One pass over a program that copies it and replaces some nodes. */
public abstract class Rewrite {
    /** The program as it was. */
    protected final Program program;

    /** The program as it will be. */
    protected final ProgramBuilder builder = new ProgramBuilder();

    private final Map<Tensor, Node> producers;
    private final Map<Tensor, List<Node>> consumers;
    private final Map<Tensor, Tensor> renamed = new LinkedHashMap<>();

    protected Rewrite(Program program) {
        this.program = program;
        this.producers = program.producers();
        this.consumers = program.consumers();
    }

    /** Returns what replaces a node's only output, or null to copy the node; inputs are mapped with {@link #get}. */
    protected abstract @Nullable Tensor replacement(Node node);

    protected final Program run() {
        program.leaves().forEach((name, leaf) -> renamed.put(leaf, builder.leaf(name, leaf.type(), leaf.shape())));
        program.literals().forEach((tensor, value) -> renamed.put(tensor, builder.literal(tensor.name(), value)));
        for (Node node : program.nodes()) {
            Tensor replacement = replacement(node);
            if (replacement == null) {
                copy(node);
            } else {
                renamed.put(node.output(), replacement);
            }
        }
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        program.outputs().forEach((name, tensor) -> outputs.put(name, get(tensor)));
        return builder.build(outputs);
    }

    private void copy(Node node) {
        List<Tensor> outputs = builder.add(
                node.op(),
                node.inputs().stream().map(this::get).toList(),
                node.outputs().stream().map(Tensor::type).toList(),
                node.outputs().stream().map(Tensor::shape).toList());
        for (int i = 0; i < outputs.size(); i++) {
            renamed.put(node.outputs().get(i), outputs.get(i));
        }
    }

    /** Returns what an old tensor has become. */
    public final Tensor get(Tensor old) {
        return Objects.requireNonNull(renamed.get(old), old.name());
    }

    /** Returns the node that defines an old tensor, or null. */
    public final @Nullable Node producer(Tensor tensor) {
        return producers.get(tensor);
    }

    /** Returns the node that defines an old tensor that one node reads once and nobody else, or null. */
    protected final @Nullable Node onlyReadHere(Tensor tensor) {
        boolean single = consumers.getOrDefault(tensor, List.of()).size() == 1
                && !program.outputs().containsValue(tensor);
        return single ? producers.get(tensor) : null;
    }

    /** Returns an old tensor without the reshapes it is seen through. */
    protected final Tensor behindReshapes(Tensor tensor) {
        Node node = producers.get(tensor);
        return node != null && node.op() instanceof Op.Reshape ? behindReshapes(node.input(0)) : tensor;
    }
}
