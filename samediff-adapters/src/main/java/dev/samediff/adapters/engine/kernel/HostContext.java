package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.nd4j.Addresses;
import dev.samediff.adapters.engine.plan.ExecutionContext;
import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.memory.HostMemory;
import dev.samediff.adapters.memory.NativeBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Memory and kernels of one plan on the processor. Leaves and literals stay where ND4J has them. */
final class HostContext implements ExecutionContext {
    private final int threads;
    private final Function<String, PackedMatrices.Matrix> packed;
    private final Set<String> frozen;
    private final List<NativeBlock> memory = new ArrayList<>();
    private final Workspace workspace = new Workspace();
    private final Kernels kernels;
    private final Emitter emitter;

    /**
     * Opens it.
     *
     * @param threads threads of the kernels
     * @param packed gives the copies of a frozen matrix, by leaf
     * @param frozen the leaves whose copies may be kept
     */
    HostContext(int threads, Function<String, PackedMatrices.Matrix> packed, Set<String> frozen) {
        this.threads = threads;
        this.packed = packed;
        this.frozen = frozen;
        this.kernels = new Kernels(workspace);
        this.emitter = new Emitter(workspace);
    }

    @Override
    public long allocate(long bytes) {
        NativeBlock block = new NativeBlock(bytes);
        memory.add(block);
        return block.address();
    }

    @Override
    public Kernel emit(Node node, List<Operand> in, List<Operand> out) {
        int count = Effort.isSmall(node) ? 1 : threads;
        return OneDnn.with(count, () -> emitter.emit(node, in, out, packed(node, in)));
    }

    /** Returns the copies of the matrix that a product multiplies by, if they may be kept. */
    private PackedMatrices.@Nullable Matrix packed(Node node, List<Operand> in) {
        if (!(node.op() instanceof Op.MatMul)) {
            return null;
        }
        return in.get(1).leaf().filter(frozen::contains).map(packed).orElse(null);
    }

    @Override
    public Kernel copy(Operand x, Operand dst) {
        return OneDnn.with(threads, () -> kernels.copy(x, dst));
    }

    @Override
    public long leaf(String name, INDArray array) {
        return Addresses.of(array);
    }

    @Override
    public long literal(INDArray array) {
        return Addresses.of(array);
    }

    /** Gives the calling thread the number of threads back that kernels for small work have taken. */
    @Override
    public void finish() {
        OneDnn.use(threads);
    }

    @Override
    public INDArray download(Operand result) {
        if (!result.isDense()) {
            return HostMemory.array(result.address(), result.type(), result.shape(), result.strides())
                    .dup('c');
        }
        INDArray copy = Nd4j.createUninitialized(result.type(), result.shape());
        download(result, copy);
        return copy;
    }

    @Override
    public long destination(INDArray into) {
        return Addresses.of(into);
    }

    @Override
    public void download(Operand result, INDArray into) {
        if (result.isDense() && result.address() == Addresses.of(into)) {
            return; // it was computed there
        }
        if (result.isDense()) {
            long bytes = result.length() * result.type().width();
            Pointer.memcpy(into.data().pointer(), HostMemory.bytes(result.address(), bytes), bytes);
        } else {
            into.assign(download(result));
        }
    }

    @Override
    public long workspaceBytes() {
        return workspace.bytes();
    }

    @Override
    public void close() {
        memory.forEach(NativeBlock::close);
        memory.clear();
        workspace.close();
    }
}
