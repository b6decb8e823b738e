package dev.samediff.adapters.engine.kernel;
import dev.samediff.adapters.engine.plan.Kernel;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Kernels that are timed together.
 *
 * @param kernels in their order
 */
record KernelSequence(List<Kernel> kernels) implements Kernel {
    KernelSequence {
        kernels = List.copyOf(kernels);
    }

    static Kernel of(Kernel... kernels) {
        return new KernelSequence(Arrays.asList(kernels));
    }

    @Override
    public void run() {
        for (Kernel kernel : kernels) {
            kernel.run();
        }
    }

    @Override
    public String describe() {
        return kernels.stream().map(Kernel::describe).collect(Collectors.joining(", "));
    }
}
