package dev.samediff.samples.cli;

import dev.samediff.samples.learn.TaskRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which trained model. */
final class TrainedOptions {
    @Option(
            names = "--run",
            required = true,
            paramLabel = "DIR",
            description = "The folder of a run of finetune with another task than lm.")
    Path run = Path.of("");

    @Option(names = "--model", paramLabel = "MODEL", description = "The model that was trained. Default: where it was.")
    @Nullable
    Path model;

    @Option(names = "--tokenizer", paramLabel = "FILE", description = "Its tokenizer. Default: where it was.")
    @Nullable
    Path tokenizer;

    /** Looks at it. */
    TaskRun<?> run() throws IOException {
        return TaskRun.of(run, Optional.ofNullable(model), Optional.ofNullable(tokenizer));
    }
}
