package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.samples.bench.generation.GenerationBench;
import dev.samediff.samples.bench.network.Network;
import dev.samediff.samples.bench.network.Workload;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench generate}: the time of a token, with and without a key/value cache. */
@CommandLine.Command(
        name = "generate",
        description = "Measures how long a token takes at the end of texts of several lengths, with and without a"
                + " key/value cache.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BenchGenerateCommand extends Command {
    private static final int SHORTEST = 16;
    private static final int LONGEST = 1024;

    @Option(
            names = "--network",
            paramLabel = "N",
            defaultValue = "gpt2",
            description = "small, wide, gpt2, or sizes such as \"d=256 L=4 H=4 B=8 T=128 V=2000\", of which B and T do"
                    + " not matter. Default: ${DEFAULT-VALUE}.")
    String network = "gpt2";

    @Option(
            names = "--lengths",
            paramLabel = "T[,T...]",
            split = ",",
            defaultValue = "64,128,256,512,1024",
            description = "Tokens of a text, the new one included. Default: ${DEFAULT-VALUE}.")
    List<Integer> lengths = List.of();

    @Option(
            names = "--batch",
            paramLabel = "B",
            defaultValue = "1",
            description = "Texts at a time. Default: ${DEFAULT-VALUE}.")
    int batch;

    @Option(
            names = "--precision",
            paramLabel = "P",
            defaultValue = "f32",
            converter = ExecutionOptions.PrecisionConverter.class,
            description = "f32 or bf16. Default: ${DEFAULT-VALUE}.")
    Precision precision = Precision.FLOAT32;

    @Mixin
    WorkFolder work = new WorkFolder();

    @Override
    int run() throws IOException {
        if (batch < 1 || lengths.stream().anyMatch(length -> length < SHORTEST || length > LONGEST)) {
            throw new InvalidInputException("--batch " + batch + " and --lengths " + lengths
                    + " are not possible; give 1 and more, and " + SHORTEST + " to " + LONGEST);
        }
        if (precision == Precision.HALF) {
            throw new InvalidInputException("--precision fp16 is for training on a CUDA device; give f32 or bf16");
        }
        Network given = Network.parse(network);
        int longest = lengths.stream().mapToInt(Integer::intValue).max().orElse(LONGEST);
        Network sizes = new Network(given.width(), given.layers(), given.heads(), batch, longest, given.vocabulary());
        say("writing " + sizes + ", unless it is there ...");
        ImportedModel model = OnnxImporter.load(
                Workload.write(sizes, work.folder().resolve(sizes.fileName())).model());
        GenerationBench bench = new GenerationBench(
                model, sizes.vocabulary(), batch, EngineOptions.defaults().withPrecision(precision));
        List<GenerationBench.Row> rows = new ArrayList<>();
        for (int length : lengths) {
            say("measuring " + length + " tokens ...");
            rows.add(bench.measure(length));
        }
        print(describe(rows), rows);
        return 0;
    }

    private static String describe(List<GenerationBench.Row> rows) {
        TextTable table = new TextTable(
                "T", "whole text, ms per token", "with cache, ms per token", "times", "reading the text, ms");
        rows.forEach(row -> table.row(
                Integer.toString(row.length()),
                Numbers.decimal(row.wholeMilliseconds(), 1),
                Numbers.decimal(row.cachedMilliseconds(), 1),
                Numbers.decimal(row.speedUp(), 1),
                Numbers.decimal(row.prefillMilliseconds(), 1)));
        return table.render();
    }
}
