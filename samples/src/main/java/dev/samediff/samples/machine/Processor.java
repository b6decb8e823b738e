package dev.samediff.samples.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The processor.
 *
 * @param model its name, as the system gives it
 * @param cores cores this process may use
 * @param extensions those of the instruction sets that matter for matrix products, as Linux names them; empty if the
 *     system does not tell
 */
public record Processor(String model, int cores, Set<String> extensions) {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");
    private static final List<String> RELEVANT = List.of(
            "avx2",
            "fma",
            "avx512f",
            "avx512_vnni",
            "avx512_bf16",
            "avx512_fp16",
            "amx_tile",
            "amx_bf16",
            "amx_int8",
            "asimd",
            "sve");

    /** Returns this machine's processor. */
    public static Processor detect() {
        int cores = Runtime.getRuntime().availableProcessors();
        try {
            return parse(Files.readAllLines(CPUINFO), cores);
        } catch (IOException e) {
            return new Processor(System.getProperty("os.arch"), cores, Set.of());
        }
    }

    static Processor parse(List<String> cpuinfo, int cores) {
        List<String> flags =
                Arrays.asList((field(cpuinfo, "flags") + " " + field(cpuinfo, "Features")).split("\\s+", -1));
        Set<String> extensions = new TreeSet<>(RELEVANT);
        extensions.retainAll(flags);
        String model = field(cpuinfo, "model name");
        return new Processor(model.isEmpty() ? System.getProperty("os.arch") : model, cores, extensions);
    }

    /** Returns whether it has 512-bit vectors. */
    public boolean hasAvx512() {
        return extensions.contains("avx512f");
    }

    /** Returns whether it has matrix units for bfloat16. */
    public boolean hasAmxBf16() {
        return extensions.contains("amx_bf16");
    }

    private static String field(List<String> cpuinfo, String key) {
        return cpuinfo.stream()
                .filter(line -> line.startsWith(key) && line.contains(":"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("");
    }
}
