package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.learn.Answers;
import dev.samediff.samples.learn.TaskRun;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code predict}: what a trained model says of texts. */
@CommandLine.Command(
        name = "predict",
        description = "Answers texts by a model that finetune has trained for a task: classify, tag, regress, embed or"
                + " seq2seq.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "A line for each text, the answer and the text separated by tabs: class, its probability (classify);",
            "number (regress); vector of length 1 (embed); text (seq2seq). For tag: a line for each word, the word and",
            "its tag, and an empty line behind each text, as finetune reads them.",
            "",
            "Examples:",
            "  samples/run predict --run run1 --text \"I lost my card\"",
            "  samples/run predict --run run1 --texts texts.txt --top 3 --json"
        })
final class PredictCommand extends Command {
    @ArgGroup(validate = false, heading = "%nTrained model%n")
    TrainedOptions trained = new TrainedOptions();

    @ArgGroup(exclusive = true, multiplicity = "1")
    TextOptions texts = new TextOptions();

    @Option(
            names = "--top",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "classify, with --json: how many classes, the most probable first. Default: ${DEFAULT-VALUE}.")
    int top = 1;

    @Override
    int run() throws IOException {
        if (top < 1) {
            throw new InvalidInputException("--top " + top + " is not possible; give 1 or more");
        }
        List<String> read = texts.read();
        try (TaskRun.Service service = trained.run().answers()) {
            List<Answers.Answer> answers = service.answers().of(read, top);
            answers.forEach(answer -> out().println(answer.text()));
            if (json) {
                printJson(answers.stream().map(Answers.Answer::json).toList());
            }
        }
        return 0;
    }
}
