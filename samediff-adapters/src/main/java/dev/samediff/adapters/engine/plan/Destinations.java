package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where results are best written so that what is done with them later costs no copy: heads already beside each other, parts
 * already in the whole.
 */
final class Destinations {
    private final Map<Tensor, List<Node>> consumers;
    private final Program program;
    private final Map<Node, Placement> concatenations = new LinkedHashMap<>();

    Destinations(Program program) {
        this.program = program;
        this.consumers = program.consumers();
    }

    /** Returns the memory of a concatenation, the same in every call. */
    Placement of(Node concat) {
        return concatenations.computeIfAbsent(concat, node -> {
            Tensor whole = node.output();
            return Placement.dense(Block.ofArena(whole.type(), whole.length()), whole.type(), whole.shape());
        });
    }

    /** Returns where a result is best written, or null if it does not matter. */
    @Nullable
    Placement of(Tensor tensor) {
        Node reader = onlyReader(tensor);
        if (reader == null) {
            return null;
        }
        if (reader.op() instanceof Op.Permute permute) {
            Placement later = of(reader.output());
            if (later == null) {
                return null;
            }
            long[] strides = new long[tensor.rank()];
            for (int i = 0; i < strides.length; i++) {
                strides[permute.axes().get(i)] = later.strides()[i];
            }
            return later.view(0, tensor.shape(), strides);
        }
        if (reader.op() instanceof Op.Reshape) {
            return beforeReshape(tensor, reader.output());
        }
        if (reader.op() instanceof Op.Concat concat
                && reader.inputs().stream().filter(part -> part == tensor).count() == 1) {
            return part(tensor, reader, concat.axis());
        }
        return null;
    }

    private @Nullable Placement beforeReshape(Tensor tensor, Tensor reshaped) {
        Placement later = of(reshaped);
        if (later == null) {
            Block block = Block.ofArena(tensor.type(), tensor.length());
            return Placement.dense(block, tensor.type(), tensor.shape());
        }
        long[] strides = Strides.reshape(later.shape(), later.strides(), tensor.shape());
        return strides == null ? null : later.view(0, tensor.shape(), strides);
    }

    private Placement part(Tensor tensor, Node concat, int axis) {
        Placement whole = of(concat);
        long begin = 0;
        for (Tensor part : concat.inputs()) {
            if (part == tensor) {
                break;
            }
            begin += part.size(axis);
        }
        return whole.view(begin * whole.strides()[axis], tensor.shape(), whole.strides());
    }

    private @Nullable Node onlyReader(Tensor tensor) {
        List<Node> readers = consumers.getOrDefault(tensor, List.of());
        return readers.size() == 1 && !program.outputs().containsValue(tensor) ? readers.get(0) : null;
    }
}
