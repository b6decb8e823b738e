package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.kernel.Kernel;
import dev.samediff.adapters.engine.kernel.Kernels;
import dev.samediff.adapters.engine.kernel.OneDnn;
import dev.samediff.adapters.engine.kernel.PackedMatrices;
import dev.samediff.adapters.engine.kernel.Workspace;
import dev.samediff.adapters.engine.nd4j.Addresses;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramCheck;
import dev.samediff.adapters.engine.program.Shapes;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Lays a program out in memory and makes its kernels, node by node. */
public final class PlanCompiler {
    private final Program program;
    private final Map<Tensor, Integer> readers = new LinkedHashMap<>();
    private final Map<Tensor, Placement> placements = new LinkedHashMap<>();
    private final Set<Block> blocks = new LinkedHashSet<>();
    private final List<Plan.Step> steps = new ArrayList<>();
    private final Workspace workspace = new Workspace();
    private final Kernels kernels = new Kernels(workspace);
    private final Emitter emitter = new Emitter(workspace);
    private final Destinations destinations;
    private final @Nullable PackedMatrices packed;
    private final Set<String> frozen;

    private PlanCompiler(Program program, @Nullable PackedMatrices packed, Set<String> frozen) {
        this.program = program;
        this.packed = packed;
        this.frozen = frozen;
        program.consumers().forEach((tensor, nodes) -> readers.put(tensor, nodes.size()));
        program.outputs().values().forEach(tensor -> readers.merge(tensor, 1, Integer::sum));
        this.destinations = new Destinations(program);
    }

    /**
     * Compiles.
     *
     * @param program the program
     * @return the plan, which holds memory until it is closed
     */
    public static Plan compile(Program program) {
        return new PlanCompiler(program, null, Set.of()).run();
    }

    /**
     * Compiles, with copies of frozen matrices that are faster to multiply by.
     *
     * @param program the program
     * @param packed keeps the copies, by leaf
     * @param frozen the leaves whose copies may be kept
     * @return the plan, which holds memory until it is closed
     */
    public static Plan compile(Program program, PackedMatrices packed, Set<String> frozen) {
        return new PlanCompiler(program, packed, frozen).run();
    }

    private Plan run() {
        ProgramCheck.check(program, "all rewrites");
        program.leaves()
                .forEach((name, leaf) -> place(
                        leaf,
                        Placement.dense(Block.ofLeaf(name, leaf.type(), leaf.length()), leaf.type(), leaf.shape())));
        program.literals().forEach((tensor, array) -> {
            Block block = Block.ofLiteral(array);
            place(tensor, Placement.dense(block, tensor.type(), tensor.shape()));
            block.place(Addresses.of(array));
        });
        for (Node node : program.nodes()) {
            compile(node);
            node.inputs().forEach(input -> blockOf(input).pending--);
        }
        Map<String, Placement> outputs = new LinkedHashMap<>();
        program.outputs().forEach((name, tensor) -> {
            Placement placement = placement(tensor);
            placement.block().touch(steps.size());
            outputs.put(name, placement);
        });
        List<Block> inArena = blocks.stream()
                .filter(block -> block.isInArena() && block.last >= 0)
                .toList();
        Arena arena = Arena.place(inArena);
        List<Block> leaves = blocks.stream().filter(block -> block.leaf != null).toList();
        return new Plan(steps, leaves, outputs, arena, workspace, program);
    }

    private void compile(Node node) {
        if (node.op() instanceof Op.View) {
            place(node.output(), view(node, placement(node.input(0))));
        } else if (node.op() instanceof Op.Concat concat) {
            concat(node, concat.axis());
        } else if (node.op() instanceof Op.MatMul product && product.accumulate()) {
            accumulate(node);
        } else if (node.op() instanceof Op.WriteRows) {
            Placement written = placement(node.input(0));
            place(node.output(), written.view(0, written.shape(), written.strides()));
            emit(node, readable(node), List.of(written));
        } else {
            List<Placement> out = new ArrayList<>();
            for (int i = 0; i < node.outputs().size(); i++) {
                Tensor tensor = node.outputs().get(i);
                Placement placement = i == 0 ? target(node, tensor) : elsewhere(node, tensor);
                place(tensor, placement);
                out.add(placement);
            }
            emit(node, readable(node), out);
        }
    }

    /** Returns the inputs in layouts that the node's kernel reads. */
    private List<Placement> readable(Node node) {
        boolean any = InPlace.readsAnywhere(node.op());
        return node.inputs().stream()
                .map(this::placement)
                .map(x -> (any && !x.isBroadcast()) || x.isDense() || node.op() instanceof Op.Binary ? x : dense(x))
                .toList();
    }

    private Placement dense(Placement x) {
        DataType type = x.operand().type();
        Placement copy = Placement.dense(Block.ofArena(type, Shapes.length(x.shape())), type, x.shape());
        blocks.add(copy.block());
        step("Copy", kernels.copy(x.operand(), copy.operand()), List.of(x), List.of(copy));
        return copy;
    }

    private void emit(Node node, List<Placement> in, List<Placement> out) {
        if (packed != null && node.op() instanceof Op.MatMul) {
            Placement matrix = in.get(1);
            String leaf = matrix.block().leaf;
            if (leaf != null && frozen.contains(leaf) && matrix.offset() == 0) {
                matrix.operand().keepPacked(packed.of(leaf));
            }
        }
        Kernel kernel = OneDnn.limited(
                Effort.isSmall(node),
                () -> emitter.emit(
                        node,
                        in.stream().map(Placement::operand).toList(),
                        out.stream().map(Placement::operand).toList()));
        step(node.op().title(), kernel, in, out);
    }

    private void step(String title, Kernel kernel, List<Placement> in, List<Placement> out) {
        in.forEach(placement -> placement.block().touch(steps.size()));
        out.forEach(placement -> placement.block().touch(steps.size()));
        steps.add(new Plan.Step(title, kernel));
    }

    /** Views cost nothing, unless elements have to move to be seen in the new shape. */
    private Placement view(Node node, Placement x) {
        long[] shape = node.output().shape();
        if (node.op() instanceof Op.Permute permute) {
            int[] axes = permute.axes().stream().mapToInt(Integer::intValue).toArray();
            return x.view(0, shape, Shapes.permute(x.strides(), axes));
        }
        if (node.op() instanceof Op.Slice slice) {
            return x.view(slice.begin() * x.strides()[slice.axis()], shape, x.strides());
        }
        if (node.op() instanceof Op.Expand) {
            return x.view(0, shape, Strides.expand(x.shape(), x.strides(), shape));
        }
        long[] strides = Strides.reshape(x.shape(), x.strides(), shape);
        if (strides != null) {
            return x.view(0, shape, strides);
        }
        return dense(x).view(0, shape, Shapes.dense(shape));
    }

    private void concat(Node node, int axis) {
        Placement whole = destinations.of(node);
        place(node.output(), whole);
        long begin = 0;
        for (Tensor part : node.inputs()) {
            Placement placement = placement(part);
            long size = part.size(axis);
            if (placement.block() != whole.block()) {
                Placement slot = whole.view(begin * whole.strides()[axis], part.shape(), whole.strides());
                step("Copy", kernels.copy(placement.operand(), slot.operand()), List.of(placement), List.of(slot));
            }
            begin += size;
        }
    }

    private void accumulate(Node node) {
        int last = node.inputs().size() - 1;
        Tensor target = node.input(last);
        Placement old = placement(target);
        Placement sum = isLastUse(node, target) && !old.isBroadcast()
                ? old.view(0, old.shape(), old.strides())
                : fresh(node.output());
        if (sum.block() != old.block()) {
            step("Copy", kernels.copy(old.operand(), sum.operand()), List.of(old), List.of(sum));
        }
        place(node.output(), sum);
        emit(node, readable(node).subList(0, last), List.of(sum));
    }

    /** Where a first output goes: onto an input that nobody reads any more, to its place in a later result, or anywhere. */
    private Placement target(Node node, Tensor tensor) {
        for (int index : InPlace.candidates(node.op())) {
            if (index >= node.inputs().size()) {
                continue;
            }
            Tensor input = node.input(index);
            Placement placement = placement(input);
            if (input.hasShape(tensor.shape())
                    && input.type() == tensor.type()
                    && placement.isDense()
                    && isLastUse(node, input)) {
                return placement.view(0, placement.shape(), placement.strides());
            }
        }
        return elsewhere(node, tensor);
    }

    /** Where an output goes that overwrites nothing. */
    private Placement elsewhere(Node node, Tensor tensor) {
        Placement destination = InPlace.writesAnywhere(node.op()) ? destinations.of(tensor) : null;
        return destination == null ? fresh(tensor) : destination;
    }

    /** Tells whether nothing but this node will read the memory of an input, once. */
    private boolean isLastUse(Node node, Tensor input) {
        Block block = blockOf(input);
        long here =
                node.inputs().stream().filter(other -> blockOf(other) == block).count();
        return block.isInArena() && block.pending == here && here == 1;
    }

    private Placement fresh(Tensor tensor) {
        return Placement.dense(newBlock(tensor), tensor.type(), tensor.shape());
    }

    private static Block newBlock(Tensor tensor) {
        return Block.ofArena(tensor.type(), tensor.length());
    }

    private void place(Tensor tensor, Placement placement) {
        placements.put(tensor, placement);
        blocks.add(placement.block());
        placement.block().pending += readers.getOrDefault(tensor, 0);
    }

    private Placement placement(Tensor tensor) {
        return Objects.requireNonNull(placements.get(tensor), tensor.name());
    }

    private Block blockOf(Tensor tensor) {
        return placement(tensor).block();
    }
}
