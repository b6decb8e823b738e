package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.Packing;
import dev.samediff.adapters.text.batch.PromptTemplate;
import dev.samediff.samples.evaluate.AnswerForm;
import dev.samediff.samples.task.ExactMatch;
import dev.samediff.samples.task.JsonlTask;
import dev.samediff.samples.task.StoriesTask;
import dev.samediff.samples.task.Task;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** What is learned, and by what it is measured. */
final class DataOptions {
    /** Bundled stories the loss is measured on, however few of them are answered. */
    private static final int LOSS_STORIES = 100;

    @Option(
            names = "--train",
            paramLabel = "FILE",
            description =
                    "Examples. lm: a JSON object per line, prompt/response, prompt/completion, instruction/output,"
                            + " question/answer, text or messages; default: the bundled stories. Other tasks: docs/tasks.md.")
    @Nullable
    Path train;

    @Option(
            names = "--eval",
            paramLabel = "FILE",
            split = ",",
            description =
                    "Examples to measure by. Default: every 20th of --train, held out. lm: may be given several times; the"
                            + " training aims at the first, the others show what is forgotten.")
    @Nullable
    List<Path> eval;

    @Option(
            names = "--answer",
            paramLabel = "FORM",
            description =
                    "lm: where answers stand, for exact match: ####, boxed, 'The answer is', regex:PATTERN or json:FIELD."
                            + " Equal numbers are equal. Default: the whole response.")
    @Nullable
    String answer;

    @Option(
            names = "--template",
            paramLabel = "TEXT",
            description = "lm: words around each prompt, such as 'Question: {prompt} Answer: '; \\n is a line break.")
    @Nullable
    String template;

    @ArgGroup(validate = false)
    ChatOptions chat = new ChatOptions();

    @Option(
            names = "--eval-count",
            paramLabel = "N",
            defaultValue = "50",
            description =
                    "lm: most prompts of each set that are answered to measure exact match; 0: loss only. Default:"
                            + " ${DEFAULT-VALUE}.")
    int evalCount = 50;

    @Option(
            names = "--pack",
            paramLabel = "HOW",
            defaultValue = "none",
            description = "lm: several examples in a row of a batch, without padding: none; best-fit (whole examples);"
                    + " stream (cut anywhere); isolated (best-fit, and they do not see each other; for models that take a"
                    + " mask of every pair of tokens). Others see each other, so those are for plain text. Default:"
                    + " ${DEFAULT-VALUE}.")
    String pack = "none";

    /** Returns whether several examples share a row. */
    Packing packing() {
        String name = pack.toLowerCase(Locale.ROOT).replace('-', '_');
        return Arrays.stream(Packing.values())
                .filter(packing -> packing.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException(
                        "--pack " + pack + " is not possible; give none, best-fit, stream or isolated"));
    }

    /** Reads or makes the task, with the chat template of a tokenizer; bundled stories are as many as the training will see. */
    Task task(boolean bundledModel, @Nullable Path tokenizer, int storiesToTrain, long seed) {
        if (train != null) {
            return JsonlTask.read(
                    train,
                    eval == null ? List.of() : eval,
                    promptTemplate(),
                    () -> chat.find(tokenizer),
                    answer == null
                            ? ExactMatch.wholeResponse()
                            : AnswerForm.named(answer).exactMatch());
        }
        if (!bundledModel || eval != null || answer != null) {
            throw new InvalidInputException(
                    "--train is missing: a JSONL file with a prompt and a response per line, for example"
                            + " {\"prompt\": \"2+2=\", \"response\": \"4\"}");
        }
        return StoriesTask.create(storiesToTrain, Math.max(evalCount, LOSS_STORIES), seed);
    }

    /** Returns the file to measure a task by that is measured by one. */
    Optional<Path> onlyEvaluation(String taskName) {
        if (eval != null && eval.size() > 1) {
            throw new InvalidInputException("--eval is given " + eval.size() + " times; --task " + taskName
                    + " is measured by one file: give it once, and measure by others with `evaluate --run`");
        }
        if (answer != null) {
            throw new InvalidInputException("--answer is for --task lm; leave it out with --task " + taskName);
        }
        return Optional.ofNullable(eval).map(files -> files.get(0));
    }

    /** Returns the words around prompts. */
    Optional<PromptTemplate> promptTemplate() {
        return Optional.ofNullable(template).map(text -> new PromptTemplate(text.replace("\\n", "\n")));
    }
}
