package dev.samediff.samples.cli;

import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.samples.intents.GeneratedIntents;
import dev.samediff.samples.intents.IntentComparison;
import dev.samediff.samples.intents.IntentData;
import dev.samediff.samples.intents.IntentFiles;
import dev.samediff.samples.intents.IntentPlan;
import dev.samediff.samples.intents.IntentResult;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code dl4j}: adapters in a DL4J network. */
@CommandLine.Command(
        name = "dl4j",
        description =
                "Trains a DL4J network on half of the intents of a data set, adapts it to the other half in several"
                        + " ways, and compares what each learns, forgets and costs.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  samples/run dl4j",
            "  samples/run dl4j --data generated --methods lora,sorsa --json",
            "  samples/run dl4j --data banking77 --rank 16"
        })
final class Dl4jCommand extends Command {
    private static final String GENERATED = "generated";
    private static final String FULL = "full";
    private static final String FROZEN = "frozen";

    /** Sentences per intent of the bundled data. */
    private static final int SENTENCES = 90;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "Folder of banking77, clinc150, or train.jsonl and test.jsonl; `generated` is the bundled data."
                            + " Default: data/banking77 of the folder `shared` beside this checkout, else generated.")
    @Nullable
    Path data;

    @Option(
            names = "--methods",
            paramLabel = "NAMES",
            split = ",",
            defaultValue = "full,frozen,lora,olora,pissa,sorsa",
            description = "Ways of adapting, separated by commas. Default: ${DEFAULT-VALUE}.")
    List<String> methods = List.of();

    @Option(names = "--rank", paramLabel = "R", defaultValue = "8", description = "Rank. Default: ${DEFAULT-VALUE}.")
    int rank = 8;

    @Option(
            names = "--pretrain-epochs",
            paramLabel = "N",
            defaultValue = "8",
            description = "Epochs on the first half. Default: ${DEFAULT-VALUE}.")
    int pretraining = 8;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "8",
            description = "Epochs on the second half. Default: ${DEFAULT-VALUE}.")
    int epochs = 8;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "32",
            description = "Sentences per step. Default: ${DEFAULT-VALUE}.")
    int batch = 32;

    @Option(
            names = "--lr",
            paramLabel = "ETA",
            defaultValue = "3e-3",
            description = "Learning rate of adapters. Default: ${DEFAULT-VALUE}.")
    double learningRate = 3e-3;

    @Option(
            names = "--full-lr",
            paramLabel = "ETA",
            defaultValue = "1e-3",
            description = "Learning rate of whole weights. Default: ${DEFAULT-VALUE}.")
    double fullLearningRate = 1e-3;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Default: ${DEFAULT-VALUE}.")
    long seed;

    @Override
    int run() throws IOException {
        methods.forEach(this::requireKnown);
        IntentPlan plan = new IntentPlan(rank, pretraining, epochs, batch, learningRate, fullLearningRate, seed);
        IntentData intents = intents();
        say(intents.name() + ": " + intents.classes().size() + " intents, "
                + Numbers.count(intents.train().size()) + " sentences to learn from, "
                + Numbers.count(intents.test().size()) + " to measure by");
        IntentComparison comparison = new IntentComparison(intents, plan, progress());
        List<IntentResult> results = new ArrayList<>();
        results.add(comparison.before());
        methods.forEach(method -> results.add(adapt(comparison, method)));
        print(
                table(results).render(),
                new Report(intents.name(), intents.classes().size(), plan, results));
        return 0;
    }

    private void requireKnown(String method) {
        if (!List.of(FULL, FROZEN).contains(method)) {
            AdapterMethods.named(method, rank);
        }
    }

    private IntentResult adapt(IntentComparison comparison, String method) {
        return switch (method) {
            case FULL -> comparison.full(progress());
            case FROZEN -> comparison.frozen(progress());
            default -> comparison.adapters(AdapterMethods.named(method, rank), progress());
        };
    }

    private IntentData intents() throws IOException {
        if (data == null) {
            Path banking = Path.of(System.getProperty("shared.dir", "../shared"), "data", "banking77");
            return Files.isDirectory(banking) ? IntentFiles.read(banking) : generated();
        }
        return data.toString().equals(GENERATED) ? generated() : IntentFiles.read(data);
    }

    private IntentData generated() {
        return GeneratedIntents.generate(SENTENCES, seed);
    }

    private static TextTable table(List<IntentResult> results) {
        TextTable table = new TextTable(
                "method", "trainable", "new intents", "known intents", "forgotten", "s per epoch", "s in all");
        for (IntentResult result : results) {
            table.row(
                    result.method(),
                    Numbers.count(result.trainable()),
                    Numbers.percent(result.newAccuracy()),
                    Numbers.percent(result.oldAccuracy()),
                    Numbers.percent(result.forgetting()),
                    Numbers.decimal(result.secondsPerEpoch(), 2),
                    Numbers.decimal(result.seconds(), 1));
        }
        return table;
    }

    /** The result for machines. */
    record Report(String data, int intents, IntentPlan plan, List<IntentResult> results) {}
}
