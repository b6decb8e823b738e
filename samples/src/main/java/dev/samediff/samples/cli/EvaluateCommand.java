package dev.samediff.samples.cli;

import dev.samediff.adapters.predict.Classification;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.jsonl.LabelledTexts;
import dev.samediff.samples.classify.ClassifierMeasure;
import dev.samediff.samples.classify.TrainedClassifier;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code evaluate}: how right a trained classifier is. */
@CommandLine.Command(
        name = "evaluate",
        description = "Measures a classifier that finetune --task classify has trained.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  samples/run evaluate --run run1 --data test.csv"})
final class EvaluateCommand extends Command {
    @ArgGroup(validate = false, heading = "%nClassifier%n")
    TrainedOptions trained = new TrainedOptions();

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description = "Texts with the right classes: .jsonl or .csv with text and label.")
    Path data = Path.of("");

    @Override
    int run() throws IOException {
        try (TrainedClassifier classifier = trained.open()) {
            List<LabelledText> texts =
                    LabelledTexts.read(data, classifier.labels()).examples();
            int[] right = texts.stream().mapToInt(LabelledText::label).toArray();
            int[] given = classifier
                    .predictor()
                    .predict(texts.stream().map(LabelledText::text).toList())
                    .stream()
                    .map(Classification::best)
                    .mapToInt(Classification.Candidate::index)
                    .toArray();
            ClassifierMeasure measure = ClassifierMeasure.of(right, given, classifier.labels());
            print(
                    new TextTable("", "")
                            .row("texts", Numbers.count(measure.texts()))
                            .row("accuracy", Numbers.percent(measure.accuracy()))
                            .row("macro F1", Numbers.percent(measure.macroF1()))
                            .render(),
                    measure);
        }
        return 0;
    }
}
