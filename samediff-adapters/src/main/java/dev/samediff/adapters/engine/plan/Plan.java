package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.kernel.Kernel;
import dev.samediff.adapters.engine.kernel.OneDnn;
import dev.samediff.adapters.engine.kernel.Workspace;
import dev.samediff.adapters.engine.nd4j.Addresses;
import dev.samediff.adapters.engine.nd4j.Dense;
import dev.samediff.adapters.engine.program.Program;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A compiled program: kernels on fixed memory. Not thread-safe. */
public final class Plan implements AutoCloseable {
    private final List<Step> steps;
    private final List<Block> leaves;
    private final Map<String, Placement> outputs;
    private final Arena arena;
    private final Workspace workspace;
    private final Program program;

    Plan(
            List<Step> steps,
            List<Block> leaves,
            Map<String, Placement> outputs,
            Arena arena,
            Workspace workspace,
            Program program) {
        this.steps = List.copyOf(steps);
        this.leaves = leaves;
        this.outputs = outputs;
        this.arena = arena;
        this.workspace = workspace;
        this.program = program;
    }

    /**
     * One kernel of a plan.
     *
     * @param title the operation
     * @param kernel the kernel
     */
    public record Step(String title, Kernel kernel) {}

    /**
     * Computes.
     *
     * @param values the current array of each leaf, by name
     * @param profile takes the time of every kernel; null to measure nothing
     * @return a copy of an output, by name
     */
    public Function<String, INDArray> run(Function<String, INDArray> values, @Nullable Profile profile) {
        List<INDArray> held = new ArrayList<>(leaves.size());
        try {
            for (Block leaf : leaves) {
                INDArray array = Dense.of(values.apply(leaf.leaf));
                held.add(array);
                leaf.place(Addresses.of(array));
            }
            execute(profile);
        } finally {
            OneDnn.restore();
            Reference.reachabilityFence(held);
        }
        return this::output;
    }

    private void execute(@Nullable Profile profile) {
        for (Step step : steps) {
            if (profile == null) {
                step.kernel().run();
            } else {
                long start = System.nanoTime();
                step.kernel().run();
                profile.add(step.title(), System.nanoTime() - start);
            }
        }
    }

    /** Returns a copy of an output of the last run. */
    private INDArray output(String name) {
        Placement placement = outputs.get(name);
        if (placement == null) {
            throw new IllegalArgumentException("the plan has no output `" + name + "`; it has " + outputs.keySet());
        }
        if (!placement.isDense()) {
            return Nd4jKernel.wrap(placement.operand()).dup('c');
        }
        INDArray copy = Nd4j.createUninitialized(placement.operand().type(), placement.shape());
        long bytes = placement.operand().length() * copy.dataType().width();
        Pointer.memcpy(
                copy.data().pointer(), Nd4jKernel.pointer(placement.operand().address(), bytes), bytes);
        return copy;
    }

    /** Returns the kernels in the order in which they run. */
    public List<Step> steps() {
        return steps;
    }

    /** Returns the program this was compiled from. */
    public Program program() {
        return program;
    }

    /** Returns the size of the memory for intermediate results, in bytes. */
    public long arenaBytes() {
        return arena.bytes();
    }

    /** Returns the arrays that were computed when this was compiled, and constants of the graph that it reads in place. */
    public Collection<INDArray> literals() {
        return program.literals().values();
    }

    /** Returns the size of the working memory of the kernels, in bytes. */
    public long workspaceBytes() {
        return workspace.bytes();
    }

    @Override
    public void close() {
        arena.close();
        workspace.close();
    }
}
