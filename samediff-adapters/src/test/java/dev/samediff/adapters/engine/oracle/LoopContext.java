package dev.samediff.adapters.engine.oracle;

import dev.samediff.adapters.engine.plan.ExecutionContext;
import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Memory and loops of one plan. What a plan may not do fails here: layouts that the target did not accept, results in literals
 * or, of anything but {@code WriteRows}, in leaves; what a run reads before it has written it is NaN.
 */
final class LoopContext implements ExecutionContext {
    private final Target target;
    private final Set<String> frozen;
    private final Map<String, ByteBuffer> copies;
    private final LoopMemory memory = new LoopMemory();
    private final Map<String, Leaf> leaves = new HashMap<>();
    private boolean running;

    /** Where a leaf is in this run, and the array that it is a copy of. */
    private record Leaf(long address, INDArray array) {}

    LoopContext(Target target, Set<String> frozen, Map<String, ByteBuffer> copies) {
        this.target = target;
        this.frozen = Set.copyOf(frozen);
        this.copies = copies;
    }

    @Override
    public long alignment() {
        return LoopMemory.ALIGNMENT;
    }

    @Override
    public long allocate(long bytes) {
        return memory.allocate(bytes);
    }

    @Override
    public Kernel emit(Node node, List<Operand> in, List<Operand> out) {
        Op op = node.op();
        boolean accumulates = op instanceof Op.MatMul product && product.accumulate();
        for (int i = 0; i < in.size(); i++) {
            if (!target.reads(op, i, in.get(i))) {
                throw new IllegalStateException(
                        "input " + i + " of " + op.title() + " is not read as it lies, " + in.get(i));
            }
        }
        for (Operand y : out) {
            if (y.isBroadcast() || !(y.isDense() || accumulates || target.writesAnywhere(op))) {
                throw new IllegalStateException("the result of " + op.title() + " is not written to " + y);
            }
        }
        LoopMemory.Use use = op instanceof Op.WriteRows ? LoopMemory.Use.LEAF : LoopMemory.Use.RESULTS;
        return kernel(op.title(), () -> {
            List<Values> values = new ArrayList<>();
            in.forEach(x -> values.add(memory.read(x)));
            if (accumulates) {
                values.add(memory.read(out.get(0)));
            }
            List<Values> results = OpMath.apply(node, values);
            for (int i = 0; i < out.size(); i++) {
                memory.write(out.get(i), results.get(i), use);
            }
        });
    }

    @Override
    public Kernel copy(Operand x, Operand dst) {
        return kernel("copy", () -> memory.write(dst, memory.read(x), LoopMemory.Use.RESULTS));
    }

    private static Kernel kernel(String title, Runnable loops) {
        return new Kernel() {
            @Override
            public void run() {
                loops.run();
            }

            @Override
            public String describe() {
                return title + " in loops";
            }
        };
    }

    /** Leaves have another address in every run. */
    @Override
    public long leaf(String name, INDArray array) {
        if (!running) {
            memory.forgetResults();
            running = true;
        }
        Leaf old = leaves.remove(name);
        if (old != null) {
            memory.free(old.address());
        }
        ByteBuffer numbers = frozen.contains(name)
                ? copies.computeIfAbsent(name, key -> Encoding.encode(array))
                : Encoding.encode(array);
        long address = memory.add(numbers, LoopMemory.Use.LEAF);
        leaves.put(name, new Leaf(address, array));
        return address;
    }

    @Override
    public long literal(INDArray array) {
        return memory.add(Encoding.encode(array), LoopMemory.Use.LITERAL);
    }

    @Override
    public void finish() {
        running = false;
        leaves.values().forEach(leaf -> {
            if (memory.isWritten(leaf.address())) {
                Operand all =
                        Operand.dense(leaf.array().dataType(), leaf.array().shape());
                all.place(leaf.address());
                leaf.array().assign(download(all));
            }
        });
    }

    @Override
    public INDArray download(Operand result) {
        return Nd4jMath.array(result.type(), memory.read(result));
    }

    @Override
    public void close() {
        memory.close();
        leaves.clear();
    }
}
