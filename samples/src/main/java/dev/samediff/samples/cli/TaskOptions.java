package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.samples.learn.TaskSettings;
import dev.samediff.samples.learn.TextTask;
import dev.samediff.samples.learn.TextTasks;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What kind of answers a model learns to give. */
final class TaskOptions {
    @Option(
            names = "--task",
            paramLabel = "NAME",
            defaultValue = "lm",
            description = "lm: text that follows a prompt; classify: the class of a text; tag: a tag for every word;"
                    + " regress: a number; embed: a vector; seq2seq: a text, by an encoder and a decoder; prefer: the"
                    + " better of two answers. Default: ${DEFAULT-VALUE}.")
    String name = TextTasks.LANGUAGE_MODEL;

    @Option(
            names = "--pooling",
            paramLabel = "NAME",
            description =
                    "classify, regress, embed: how the features of tokens become one vector: first (token), mean"
                            + " or last; given: the model has done it. Default: mean; given in a folder of BERT that has a pooler.")
    @Nullable
    Pooling pooling;

    @Option(
            names = "--features",
            paramLabel = "NAME",
            description = "classify, tag, regress, embed: the output that a new head is put on. Default: the first that"
                    + " fits; no new head in a Hugging Face folder that has one for the task.")
    @Nullable
    String features;

    @Option(
            names = "--decoder-start",
            paramLabel = "ID",
            description = "seq2seq: the token that the decoder begins with. Default: decoder_start_token_id of"
                    + " config.json beside the model, else the padding.")
    @Nullable
    Integer decoderStart;

    @Option(
            names = "--preference-loss",
            paramLabel = "NAME",
            description = "prefer: dpo, which compares with the model without its adapter, or orpo. Default: dpo.")
    @Nullable
    String preferenceLoss;

    @Option(names = "--beta", paramLabel = "B", description = "prefer: strength of the loss. Default: 0.1.")
    @Nullable
    Double beta;

    /** Tells whether text is learned that follows a prompt. */
    boolean isLanguageModel() {
        return name.toLowerCase(Locale.ROOT).equals(TextTasks.LANGUAGE_MODEL);
    }

    /** Returns the task. */
    TextTask<?> task() {
        return TextTasks.named(name);
    }

    private Map<TextTask.Setting, String> given() {
        Map<TextTask.Setting, String> given = new EnumMap<>(TextTask.Setting.class);
        Optional.ofNullable(pooling).ifPresent(value -> given.put(TextTask.Setting.POOLING, value.name()));
        Optional.ofNullable(features).ifPresent(value -> given.put(TextTask.Setting.FEATURES, value));
        Optional.ofNullable(decoderStart)
                .ifPresent(value -> given.put(TextTask.Setting.DECODER_START, value.toString()));
        Optional.ofNullable(preferenceLoss).ifPresent(value -> given.put(TextTask.Setting.PREFERENCE_LOSS, value));
        Optional.ofNullable(beta).ifPresent(value -> given.put(TextTask.Setting.BETA, value.toString()));
        return given;
    }

    /**
     * Returns the settings, before data and model are known.
     *
     * @param logits the output that is learned, if one was named: then there is no new head
     */
    TaskSettings settings(TextTask<?> task, @Nullable String logits, long seed) {
        given().forEach((setting, value) -> {
            if (!task.settings().contains(setting)) {
                throw new InvalidInputException(foreign(setting, value) + " with --task " + task.name());
            }
        });
        if (logits != null && (pooling != null || features != null)) {
            throw new InvalidInputException(
                    "--logits " + logits
                            + " names scores that the model has, --pooling and --features are those of a new head; give one of them");
        }
        return new TaskSettings(List.of(), "", logits, pooling, features, seed, decoderStart, preferenceLoss, beta);
    }

    private static String foreign(TextTask.Setting setting, String value) {
        return setting.option() + " " + value.toLowerCase(Locale.ROOT) + " belongs to --task "
                + TextTasks.taking(setting) + "; leave it out";
    }

    /** Refuses options of other tasks where a language model is trained. */
    void requireNone() {
        given().forEach((setting, value) -> {
            throw new InvalidInputException(foreign(setting, value) + " with --task " + name);
        });
    }
}
