package dev.samediff.samples.cli;

import dev.samediff.samples.classify.TrainedClassifier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which trained classifier. */
final class TrainedOptions {
    @Option(
            names = "--run",
            required = true,
            paramLabel = "DIR",
            description = "The folder of a run of finetune --task classify.")
    Path run = Path.of("");

    @Option(names = "--model", paramLabel = "MODEL", description = "The model that was trained. Default: where it was.")
    @Nullable
    Path model;

    @Option(names = "--tokenizer", paramLabel = "FILE", description = "Its tokenizer. Default: where it was.")
    @Nullable
    Path tokenizer;

    /** Opens it. */
    TrainedClassifier open() throws IOException {
        return TrainedClassifier.open(run, Optional.ofNullable(model), Optional.ofNullable(tokenizer));
    }
}
