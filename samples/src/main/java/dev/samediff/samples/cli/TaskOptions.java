package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.samples.classify.ClassifierHead;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What kind of answers a model learns to give. */
final class TaskOptions {
    /** The kinds. */
    enum Kind {
        /** Text that follows a prompt. */
        LM,
        /** The class of a text. */
        CLASSIFY
    }

    @Option(
            names = "--task",
            paramLabel = "NAME",
            defaultValue = "lm",
            description = "lm: text that follows a prompt; classify: the class of a text. Default: ${DEFAULT-VALUE}.")
    Kind kind = Kind.LM;

    @Option(
            names = "--pooling",
            paramLabel = "NAME",
            description = "classify: what the new head looks at: first (token), mean or last. Default: mean.")
    @Nullable
    Pooling pooling;

    @Option(
            names = "--features",
            paramLabel = "NAME",
            description = "classify: the output that the new head is put on. Default: the first that fits.")
    @Nullable
    String features;

    @Option(
            names = "--modules-to-save",
            paramLabel = "NAMES",
            split = ",",
            description = "Modules that are trained whole beside the adapter, and saved with it. A new head always is.")
    @Nullable
    List<String> modulesToSave;

    /** Returns the head; a model that has scores already, named by --logits, gets none. */
    ClassifierHead head(@Nullable String logits, long seed) {
        if (logits != null && (pooling != null || features != null)) {
            throw new InvalidInputException(
                    "--logits " + logits
                            + " names scores that the model has, --pooling and --features are those of a new head; give one of them");
        }
        Pooling chosen = pooling == null ? Pooling.MEAN : pooling;
        if (chosen == Pooling.EACH) {
            throw new InvalidInputException("--pooling " + chosen.name().toLowerCase(Locale.ROOT)
                    + " gives no vector for a text; take first, mean, last, or given if the output is pooled already");
        }
        return new ClassifierHead(
                Optional.ofNullable(logits),
                chosen,
                Optional.ofNullable(features),
                modulesToSave == null ? List.of() : modulesToSave,
                seed);
    }

    /** Refuses options of a classifier where there is none. */
    void requireNone() {
        if (pooling != null || features != null || modulesToSave != null) {
            throw new InvalidInputException(
                    "--pooling, --features and --modules-to-save belong to --task classify; leave them out");
        }
    }
}
