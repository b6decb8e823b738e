package dev.samediff.samples.cli;

import dev.samediff.adapters.predict.Classification;
import dev.samediff.samples.classify.TrainedClassifier;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code predict}: what a trained classifier says of texts. */
@CommandLine.Command(
        name = "predict",
        description = "Says of what class texts are, by a classifier that finetune --task classify has trained.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "A line for each text: the class, its probability, the text, separated by tabs.",
            "",
            "Examples:",
            "  samples/run predict --run run1 --text \"I lost my card\"",
            "  samples/run predict --run run1 --texts texts.txt --top 3 --json"
        })
final class PredictCommand extends Command {
    @ArgGroup(validate = false, heading = "%nClassifier%n")
    TrainedOptions trained = new TrainedOptions();

    @ArgGroup(exclusive = true, multiplicity = "1")
    TextOptions texts = new TextOptions();

    @Option(
            names = "--top",
            paramLabel = "N",
            defaultValue = "1",
            description = "With --json: how many classes, the most probable first. Default: ${DEFAULT-VALUE}.")
    int top = 1;

    @Override
    int run() throws IOException {
        List<String> read = texts.read();
        try (TrainedClassifier classifier = trained.open()) {
            List<Classification> found = classifier.predictor().predict(read);
            List<Predicted> results = new ArrayList<>();
            for (int i = 0; i < read.size(); i++) {
                Classification.Candidate best = found.get(i).best();
                out().println(String.format(
                        Locale.ROOT, "%s\t%.4f\t%s", best.label(), best.probability(), read.get(i)));
                results.add(new Predicted(
                        read.get(i),
                        found.get(i).ranked().stream().limit(Math.max(1, top)).toList()));
            }
            if (json) {
                printJson(results);
            }
        }
        return 0;
    }

    /** A result for machines. */
    record Predicted(String text, List<Classification.Candidate> classes) {}
}
