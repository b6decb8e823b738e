package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.ModelImporter;
import dev.samediff.samples.bench.serving.ServingBench;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code bench serve}: the time of an answer. */
@CommandLine.Command(
        name = "serve",
        description =
                "Measures how long answers take: by SameDiff, by a pool, with several adapters, and while these are"
                        + " replaced.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BenchServeCommand extends Command {
    @Option(
            names = "--model",
            required = true,
            paramLabel = "MODEL",
            description = "A model of texts: an ONNX file, a Hugging Face folder, or a TensorFlow graph.")
    Path model = Path.of("");

    @Option(names = "--output", paramLabel = "NAME", description = "The output to ask for. Default: the first.")
    @Nullable
    String output;

    @Option(
            names = "--tokens",
            paramLabel = "T",
            defaultValue = "32",
            description = "Tokens of a text. Default: ${DEFAULT-VALUE}.")
    int tokens = 32;

    @Option(
            names = "--clients",
            paramLabel = "N",
            defaultValue = "8",
            description = "Threads that ask. Default: ${DEFAULT-VALUE}.")
    int clients = 8;

    @Option(
            names = "--adapters",
            paramLabel = "K",
            defaultValue = "8",
            description = "Adapters, LoRA of rank 8 on all layers. Default: ${DEFAULT-VALUE}.")
    int adapters = 8;

    @Option(
            names = "--requests",
            paramLabel = "N",
            defaultValue = "2000",
            description = "Answers that are timed in each way. Default: ${DEFAULT-VALUE}.")
    int requests = 2000;

    @Override
    int run() {
        if (tokens < 1 || clients < 1 || adapters < 1 || requests < 1) {
            throw new InvalidInputException("--tokens " + tokens + ", --clients " + clients + ", --adapters " + adapters
                    + " and --requests " + requests + " must all be 1 or more");
        }
        ImportedModel imported = ModelImporter.load(model);
        String asked = output == null ? imported.outputs().get(0).variable() : output;
        List<ServingBench.Row> rows = new ServingBench(imported, asked, tokens, requests).measure(clients, adapters);
        TextTable table = new TextTable("answers by", "clients", "ms, median", "answers per second", "adapters, MB");
        rows.forEach(row -> table.row(
                row.way(),
                Integer.toString(row.clients()),
                Numbers.decimal(row.milliseconds(), 3),
                Numbers.decimal(row.perSecond(), 0),
                Numbers.decimal(row.adapterMegabytes(), 2)));
        print(table.render(), rows);
        return 0;
    }
}
