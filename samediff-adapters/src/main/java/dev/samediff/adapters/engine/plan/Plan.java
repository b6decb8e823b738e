package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.nd4j.Dense;
import dev.samediff.adapters.engine.program.Program;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A compiled program: kernels on fixed memory. Not thread-safe. */
public final class Plan implements AutoCloseable {
    private final List<Step> steps;
    private final List<Block> leaves;
    private final Map<String, Placement> outputs;
    private final long arenaBytes;
    private final Program program;
    private final ExecutionContext context;

    Plan(
            List<Step> steps,
            List<Block> leaves,
            Map<String, Placement> outputs,
            long arenaBytes,
            Program program,
            ExecutionContext context) {
        this.steps = List.copyOf(steps);
        this.leaves = leaves;
        this.outputs = outputs;
        this.arenaBytes = arenaBytes;
        this.program = program;
        this.context = context;
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
     * @return a copy of each output, by name
     * @throws IllegalStateException if an array has another type or size than the plan was compiled for
     */
    public Map<String, INDArray> run(Function<String, INDArray> values, @Nullable Profile profile) {
        List<INDArray> held = new ArrayList<>(leaves.size());
        try {
            for (Block leaf : leaves) {
                String name = Objects.requireNonNull(leaf.leaf);
                INDArray array = Dense.of(values.apply(name));
                requireSize(leaf, array);
                held.add(array);
                leaf.place(context.leaf(name, array));
            }
            execute(profile);
            return results();
        } finally {
            Reference.reachabilityFence(held); // an output may be a view of a leaf
        }
    }

    /** Kernels read as much as the plan was compiled for, however long the array is. */
    private static void requireSize(Block leaf, INDArray array) {
        long bytes = array.length() * array.dataType().width();
        if (array.dataType() != leaf.type || bytes != leaf.bytes) {
            throw new IllegalStateException("the array of `" + leaf.leaf + "` is " + array.dataType()
                    + Arrays.toString(array.shape()) + ", the plan was compiled for " + leaf.bytes / leaf.type.width()
                    + " elements of " + leaf.type);
        }
    }

    private void execute(@Nullable Profile profile) {
        List<LongSupplier> times = new ArrayList<>();
        try {
            for (Step step : steps) {
                if (profile != null) {
                    times.add(context.time());
                }
                step.kernel().run();
            }
            if (profile != null) {
                times.add(context.time());
            }
        } finally {
            context.finish();
        }
        for (int i = 0; i + 1 < times.size() && profile != null; i++) {
            profile.add(
                    steps.get(i).title(),
                    times.get(i + 1).getAsLong() - times.get(i).getAsLong());
        }
    }

    private Map<String, INDArray> results() {
        Map<String, INDArray> results = new LinkedHashMap<>();
        outputs.forEach((name, placement) -> results.put(name, context.download(placement.operand())));
        return results;
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
        return arenaBytes;
    }

    /** Returns the memory that kernels work with beside the arena, in bytes. */
    public long workspaceBytes() {
        return context.workspaceBytes();
    }

    /** Returns the arrays that were computed when this was compiled, and constants of the graph that it reads in place. */
    public Collection<INDArray> literals() {
        return program.literals().values();
    }

    @Override
    public void close() {
        context.close();
    }
}
