package dev.samediff.samples.machine;

import dev.samediff.adapters.engine.kernel.OneDnn;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What follows from the findings. */
final class Advice {
    private static final Set<String> KERNELS_WITHOUT_AVX512 =
            Set.of("prescott", "core2", "nehalem", "sandybridge", "haswell", "zen", "generic");
    private static final long LITTLE_MEMORY = 4_000_000_000L;
    private static final double SLOW_PER_CORE = 10;

    private Advice() {}

    static List<String> of(Processor processor, String kernel, double gigaflops, long availableBytes) {
        List<String> advice = new ArrayList<>();
        if (processor.hasAvx512() && KERNELS_WITHOUT_AVX512.contains(kernel.toLowerCase(Locale.ROOT))) {
            advice.add("OpenBLAS chose its " + kernel + " kernels although this processor has AVX-512: set"
                    + " OPENBLAS_CORETYPE=SKYLAKEX in the environment for products up to five times as fast.");
        }
        if (gigaflops < SLOW_PER_CORE * processor.cores()) {
            advice.add(String.format(
                    Locale.ROOT,
                    "%.0f GF/s on %d cores is little: another job may be running, or OMP_NUM_THREADS or"
                            + " OPENBLAS_NUM_THREADS is set below the number of cores.",
                    gigaflops,
                    processor.cores()));
        }
        if (availableBytes >= 0 && availableBytes < LITTLE_MEMORY) {
            advice.add("Less than 4 GB of memory is free: keep --batch and --max-length small.");
        }
        if (OneDnn.supportsBf16()) {
            advice.add("This processor multiplies bfloat16 natively: --precision bf16 makes training steps with large"
                    + " weights faster.");
        }
        if (!OneDnn.isAvailable()) {
            advice.add("Training steps are not compiled and take two to four times as long: " + OneDnn.reason());
        }
        return List.copyOf(advice);
    }
}
