package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.ExecutionContext;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.program.Op;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.nd4j.linalg.factory.Nd4j;

/** The processor: kernels of oneDNN, in the memory of ND4J's CPU backend. */
public final class HostTarget implements Target {
    private final int threads;
    private final boolean keepsPacked;
    private final PackedMatrices own = new PackedMatrices();
    private final PackedMatrices shared;
    private final Predicate<String> isShared;

    /**
     * Makes it; nothing is loaded before it is asked for.
     *
     * @param threads threads of the kernels; 0 for as many as OpenMP has been told to use
     * @param keepsPacked whether products keep copies of frozen float32 matrices in the layout that is read fastest
     */
    public HostTarget(int threads, boolean keepsPacked) {
        this(threads, keepsPacked, new PackedMatrices(), leaf -> false);
    }

    private HostTarget(int threads, boolean keepsPacked, PackedMatrices shared, Predicate<String> isShared) {
        this.threads = threads;
        this.keepsPacked = keepsPacked;
        this.shared = shared;
        this.isShared = isShared;
    }

    /**
     * Makes one that reads copies of some matrices which others read too: those have the same numbers for all of them and never
     * change. Their copies stay when it is closed.
     *
     * @param isShared tells them by leaf
     */
    static HostTarget sharing(PackedMatrices packed, Predicate<String> isShared, int threads, boolean keepsPacked) {
        return new HostTarget(threads, keepsPacked, packed, isShared);
    }

    private PackedMatrices.Matrix packed(String leaf) {
        return (isShared.test(leaf) ? shared : own).of(leaf);
    }

    @Override
    public String reason() {
        if (!OneDnn.isAvailable()) {
            return OneDnn.reason();
        }
        return Nd4j.getEnvironment().isCPU() ? "" : "compiled plans run on the CPU backend only";
    }

    @Override
    public boolean multipliesBfloat16() {
        return OneDnn.supportsBf16();
    }

    @Override
    public ExecutionContext open(Set<String> frozen) {
        return new HostContext(
                threads == 0 ? OneDnn.threads() : threads, this::packed, keepsPacked ? frozen : Set.of());
    }

    @Override
    public boolean reads(Op op, int input, Operand x) {
        return LayoutRules.reads(op, x);
    }

    @Override
    public boolean writesAnywhere(Op op) {
        return LayoutRules.writesAnywhere(op);
    }

    @Override
    public List<Integer> inPlace(Op op) {
        return LayoutRules.inPlace(op);
    }

    @Override
    public boolean hasCopy(String leaf) {
        return !isShared.test(leaf) && own.find(leaf).isPresent();
    }

    @Override
    public void expire(String leaf) {
        own.find(leaf).ifPresent(PackedMatrices.Matrix::expire);
    }

    @Override
    public long copyBytes() {
        return own.bytes();
    }

    @Override
    public void close() {
        own.close();
    }
}
