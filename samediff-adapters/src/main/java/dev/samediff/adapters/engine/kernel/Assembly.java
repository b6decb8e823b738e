package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.buffer.DataType;

/** A kernel while it is put together: its steps in order, and its working memory. */
final class Assembly {
    private final String title;
    private final Workspace workspace;
    private final Scratch scratch;
    private final List<Kernel> steps = new ArrayList<>();
    private final int threads = OneDnn.threads();
    private long used;
    private long most;

    Assembly(String title, Workspace workspace) {
        this(title, workspace, 0);
    }

    /** Starts a kernel that runs at the same time as those of other threads. */
    Assembly(String title, Workspace workspace, int thread) {
        this.title = title;
        this.workspace = workspace;
        this.scratch = workspace.buffer(thread);
    }

    void add(Kernel step) {
        steps.add(step);
    }

    /** Returns a place in working memory that no other part of this kernel uses. */
    Place reserve(long bytes) {
        Place place = scratch.plus(used);
        used += Scratch.aligned(bytes);
        most = Math.max(most, used);
        return place;
    }

    /** Returns how much working memory is taken. */
    long reserved() {
        return used;
    }

    /** Gives back what was taken since {@link #reserved} returned this, for steps that come later. */
    void release(long reserved) {
        used = reserved;
    }

    /** Returns a dense tensor in working memory. */
    TensorView temporary(DataType type, long... shape) {
        Layout layout = Layout.dense(shape);
        return new TensorView(type, layout, reserve(layout.length() * Tensors.bytes(type)));
    }

    /** Returns a dense tensor filled with one value, which must not be written to. */
    TensorView constant(DataType type, double value, long... shape) {
        return workspace.constant(type, value, shape);
    }

    /** Returns the steps added since a mark as one step, and takes them out. */
    Kernel since(int mark) {
        List<Kernel> tail = steps.subList(mark, steps.size());
        Kernel body = tail.size() == 1 ? tail.get(0) : new Sequence(title, threads, tail.toArray(Kernel[]::new));
        tail.clear();
        return body;
    }

    int mark() {
        return steps.size();
    }

    Kernel build() {
        Kernel[] all = steps.toArray(Kernel[]::new);
        if (most == 0) {
            return new Sequence(title, threads, all);
        }
        scratch.ensure(most);
        return new Locked(scratch, new Sequence(title, threads, all));
    }

    private record Sequence(String title, int threads, Kernel[] steps) implements Kernel {
        @Override
        public void run() {
            OneDnn.use(threads);
            for (Kernel step : steps) {
                step.run();
            }
        }

        @Override
        public String describe() {
            return title + " " + Arrays.stream(steps).map(Kernel::describe).collect(Collectors.joining(" + "));
        }
    }

    private record Locked(Scratch scratch, Kernel body) implements Kernel {
        @Override
        public void run() {
            synchronized (scratch) {
                body.run();
            }
        }

        @Override
        public String describe() {
            return body.describe();
        }
    }
}
