package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.PromptTemplate;
import dev.samediff.samples.evaluate.AnswerForm;
import dev.samediff.samples.evaluate.FileEvaluation;
import dev.samediff.samples.evaluate.PaperPrompt;
import dev.samediff.samples.evaluate.Sandbox;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How a language model is asked, and how its answers are compared. */
final class QuestionOptions {
    private static final long MEGABYTE = 1 << 20;

    @Option(
            names = "--answer",
            paramLabel = "FORM",
            description =
                    "Where answers stand: ####, boxed, 'The answer is', regex:PATTERN (its first group) or json:FIELD. Equal"
                            + " numbers are equal ($1,234.0 and 1234). Default: what the file's first response has, or the whole response.")
    @Nullable
    String answer;

    @Option(
            names = "--prompt",
            paramLabel = "NAME",
            description = "Words of a paper around each prompt: sorsa-math (GSM8K, MATH), sorsa-humaneval or alpaca.")
    @Nullable
    String prompt;

    @Option(
            names = "--template",
            paramLabel = "TEXT",
            description =
                    "Words around each prompt, such as 'Question: {prompt} Answer: '; \\n is a line break. Default: those"
                            + " that the first adapter was trained with.")
    @Nullable
    String template;

    @ArgGroup(validate = false)
    ChatOptions chat = new ChatOptions();

    @Option(
            names = "--eval-count",
            paramLabel = "N",
            defaultValue = "50",
            description = "Most prompts of each file that are answered; 0: losses only. Default: ${DEFAULT-VALUE}.")
    int count = 50;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Most tokens of an answer. Default: a quarter more than the longest right one.")
    @Nullable
    Integer maxTokens;

    @Option(
            names = "--unsafe-execute",
            description =
                    "HumanEval: run the programs that the model writes, each in a process without an environment, in an"
                            + " empty folder, with limits. Unsafe: a program may still read your files and use the network.")
    boolean execute;

    @Option(
            names = "--execute-seconds",
            paramLabel = "S",
            defaultValue = "10",
            description = "Most seconds of a program. Default: ${DEFAULT-VALUE}.")
    int seconds = 10;

    @Option(
            names = "--execute-memory",
            paramLabel = "MB",
            defaultValue = "512",
            description = "Most memory of a program. Default: ${DEFAULT-VALUE}.")
    int megabytes = 512;

    boolean isGiven() {
        return answer != null || prompt != null || template != null || maxTokens != null || execute;
    }

    /** Returns where answers stand, if it was said. */
    Optional<AnswerForm> form() {
        return Optional.ofNullable(answer).map(AnswerForm::named);
    }

    /** Returns the words around prompts, if they were given. */
    Optional<PromptTemplate> template() {
        if (prompt != null && template != null) {
            throw new InvalidInputException("--prompt and --template both put words around prompts; give one");
        }
        return prompt != null
                ? Optional.of(PaperPrompt.named(prompt).template())
                : Optional.ofNullable(template).map(text -> new PromptTemplate(text.replace("\\n", "\n")));
    }

    /** Returns how it is asked; looks for Python only if programs are to be run. */
    FileEvaluation.Asking asking() {
        require("--eval-count", count, 0);
        require("--max-tokens", maxTokens == null ? 1 : maxTokens, 1);
        require("--execute-seconds", seconds, 1);
        require("--execute-memory", megabytes, 1);
        return new FileEvaluation.Asking(
                count,
                maxTokens == null ? OptionalInt.empty() : OptionalInt.of(maxTokens),
                execute
                        ? Optional.of(new Sandbox(Duration.ofSeconds(seconds), megabytes * MEGABYTE))
                        : Optional.empty());
    }

    private static void require(String option, int value, int least) {
        if (value < least) {
            throw new InvalidInputException(option + " " + value + " is not possible; give " + least + " or more");
        }
    }
}
