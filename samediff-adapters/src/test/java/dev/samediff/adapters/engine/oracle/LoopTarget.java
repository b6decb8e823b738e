package dev.samediff.adapters.engine.oracle;

import dev.samediff.adapters.engine.plan.ExecutionContext;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.program.Op;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A target in plain Java: every node is computed by {@link OpMath} in float64 and rounded to the type of its result. It shares
 * no kernel and no memory with the host: its addresses are none of the host's ({@link LoopMemory}), leaves are copied in for
 * each run, and frozen ones only after they have expired.
 */
public final class LoopTarget implements Target {
    /** All inputs that an op may have. */
    private static final List<Integer> ANY_INPUT =
            IntStream.range(0, 16).boxed().toList();

    private final boolean strided;
    private final Map<String, ByteBuffer> copies = new HashMap<>();

    private LoopTarget(boolean strided) {
        this.strided = strided;
    }

    /** Returns one that knows what every target must know: rows without holes, results over no input. */
    public static LoopTarget ofRows() {
        return new LoopTarget(false);
    }

    /** Returns one that lets a plan do all that a target may allow: any strides everywhere, results over any input. */
    public static LoopTarget ofStrides() {
        return new LoopTarget(true);
    }

    /** Tells whether tests run all their fixtures on this target, not only the small ones: {@code -Dloops.all=true}. */
    public static boolean runsAll() {
        return Boolean.getBoolean("loops.all");
    }

    @Override
    public String reason() {
        return "";
    }

    @Override
    public ExecutionContext open(Set<String> frozen) {
        return new LoopContext(this, frozen, copies);
    }

    @Override
    public boolean reads(Op op, int input, Operand x) {
        return strided || Target.super.reads(op, input, x);
    }

    @Override
    public boolean writesAnywhere(Op op) {
        return strided;
    }

    @Override
    public List<Integer> inPlace(Op op) {
        return strided ? ANY_INPUT : List.of();
    }

    @Override
    public boolean hasCopy(String leaf) {
        return copies.containsKey(leaf);
    }

    @Override
    public void expire(String leaf) {
        copies.remove(leaf);
    }

    @Override
    public long copyBytes() {
        return copies.values().stream().mapToLong(ByteBuffer::capacity).sum();
    }

    @Override
    public void close() {
        copies.clear();
    }

    @Override
    public String toString() {
        return strided ? "loops over strides" : "loops over rows";
    }
}
