package dev.samediff.samples.cli;

import dev.samediff.samples.bench.step.Peers;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where measurements write networks. */
final class WorkFolder {
    @Option(
            names = "--work",
            paramLabel = "DIR",
            description = "Where networks are written and found again, 0.7 GB for gpt2. Default: samples/target/bench.")
    @Nullable
    Path work;

    Path folder() {
        return work == null ? Peers.samples().resolve("target/bench") : work;
    }
}
