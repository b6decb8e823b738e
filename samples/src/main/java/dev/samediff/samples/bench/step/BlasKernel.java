package dev.samediff.samples.bench.step;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.bench.FreshProcess;
import dev.samediff.samples.machine.Processor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The kernels with which a library's OpenBLAS is fastest on this processor, measured: its own choice, or one that
 * {@code OPENBLAS_CORETYPE} names. An old OpenBLAS does not know new processors, and an inherited setting may be wrong.
 *
 * @param settings the environment variable, or none
 * @param gigaflops 10^9 operations per second of float32 products, one thread
 */
public record BlasKernel(Map<String, String> settings, double gigaflops) {
    private static final String VARIABLE = "OPENBLAS_CORETYPE";
    /** What a setting must gain over OpenBLAS's own choice. */
    private static final double WORTH_SETTING = 1.05;

    /**
     * Measures.
     *
     * @param command a program that prints {@code {"gigaflops": ...}}
     */
    public static BlasKernel fastest(List<String> command) throws IOException, InterruptedException {
        BlasKernel best = measure(command, Map.of());
        double threshold = best.gigaflops * WORTH_SETTING;
        for (String core : candidates(Processor.detect())) {
            BlasKernel other = measure(command, Map.of(VARIABLE, core));
            if (other.gigaflops > Math.max(threshold, best.gigaflops)) {
                best = other;
            }
        }
        return best;
    }

    /** Measures the OpenBLAS that ND4J uses. */
    public static BlasKernel ofThisLibrary() throws IOException, InterruptedException {
        return fastest(FreshProcess.java(GemmMain.class));
    }

    /** Returns one sentence. */
    public String describe(String library) {
        return library + ": " + Math.round(gigaflops) + " GF/s per thread in float32 products with "
                + settings.getOrDefault(VARIABLE, "the kernels OpenBLAS chooses by itself");
    }

    private static List<String> candidates(Processor processor) {
        if (processor.hasAvx512()) {
            return List.of("SKYLAKEX", "COOPERLAKE");
        }
        return processor.extensions().contains("avx2") ? List.of("HASWELL") : List.of();
    }

    private static BlasKernel measure(List<String> command, Map<String, String> settings)
            throws IOException, InterruptedException {
        Map<String, String> one = new HashMap<>(settings);
        one.put("OPENBLAS_NUM_THREADS", "1");
        one.put("OMP_NUM_THREADS", "1");
        JsonNode line = FreshProcess.run(new ArrayList<>(command), one).line();
        return new BlasKernel(settings, line.path("gigaflops").asDouble());
    }
}
