package dev.samediff.samples.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options from elsewhere than the command line; they are read before it is, see {@link ConfiguredWords}. */
final class ConfigOptions {
    static final String CONFIG = "--config";
    static final String PRESET = "--preset";

    @Option(
            names = CONFIG,
            paramLabel = "FILE",
            description = "Options from a file, a line `name: value` for each, such as run.yaml, which every run leaves"
                    + " beside its results; those of the command line win.")
    @Nullable
    Path config;

    @Option(
            names = PRESET,
            paramLabel = "NAME",
            description =
                    "Options of a published training: sorsa-paper or olora-paper; those of the command line and of"
                            + " --config win.")
    @Nullable
    String preset;
}
