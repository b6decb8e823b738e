package dev.samediff.adapters.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/**
 * A process that writes, as lock files and messages name it. It is for people: who is alive is decided by locks, because process ids
 * mean nothing in another container.
 */
final class Owner {
    private static final long PID = ProcessHandle.current().pid();
    private static final Instant START =
            ProcessHandle.current().info().startInstant().orElseGet(Instant::now);

    private static final String HOST = host();

    private Owner() {}

    /** Describes this process and this moment in one line. */
    static String now() {
        return "process " + PID + " on " + HOST + " since " + Instant.now().truncatedTo(ChronoUnit.SECONDS);
    }

    /** Returns whether a line is one of {@link #now}. */
    static boolean isNote(String line) {
        return line.matches("process \\d+ on .+ since \\d+-\\d+-\\d+T[\\d:]+Z");
    }

    /** Process id and start time, fit for a file's name. */
    static String mark() {
        return PID + "-"
                + Long.toString(START.toEpochMilli(), Character.MAX_RADIX).toLowerCase(Locale.ROOT);
    }

    /** Asks nobody on the network: a name server that does not answer would hold up every file. */
    private static String host() {
        String name = System.getenv().getOrDefault("HOSTNAME", System.getenv().getOrDefault("COMPUTERNAME", ""));
        try {
            name = Files.readString(Path.of("/proc/sys/kernel/hostname"));
        } catch (IOException notLinux) {
            return name.isBlank() ? "this machine" : name.strip();
        }
        return name.strip();
    }
}
