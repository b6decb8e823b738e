package dev.samediff.samples.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;

/** Memory of the machine and of this process, in bytes. */
public final class Memory {
    private static final Path PROCESS = Path.of("/proc/self/status");
    private static final Path MACHINE = Path.of("/proc/meminfo");

    private Memory() {}

    /**
     * Returns the most memory this process has had resident: exact on Linux, elsewhere what the JVM's heap and JavaCPP
     * hold now.
     */
    public static long peak() {
        return kilobytes(PROCESS, "VmHWM:").orElseGet(() -> {
            Runtime jvm = Runtime.getRuntime();
            return jvm.totalMemory() - jvm.freeMemory() + Pointer.totalBytes();
        });
    }

    /** Returns the memory of the machine, if the system tells. */
    public static OptionalLong installed() {
        return kilobytes(MACHINE, "MemTotal:");
    }

    /** Returns the memory a new process could take without swapping, if the system tells. */
    public static OptionalLong available() {
        return kilobytes(MACHINE, "MemAvailable:");
    }

    private static OptionalLong kilobytes(Path file, String key) {
        if (!Files.isReadable(file)) {
            return OptionalLong.empty();
        }
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(key))
                    .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }
}
