package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.importer.onnx.WeightPlace;
import dev.samediff.samples.bench.scale.ScaleBench;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench scale}: the papers' models on this machine. */
@CommandLine.Command(
        name = "scale",
        description =
                "Measures memory and time of training models of 1 to 7 billion parameters, from the folder to the"
                        + " first step and of a step, each in a fresh process. Models of the shapes are written with random numbers.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BenchScaleCommand extends Command {
    @Option(
            names = "--models",
            paramLabel = "M[,M...]",
            split = ",",
            defaultValue = "tinyllama-1.1b",
            description = "mini, tinyllama-1.1b, llama-2-7b, or sizes such as \"d=2048 f=5632 L=2 H=32 K=4 V=32000\"."
                    + " Default: ${DEFAULT-VALUE}.")
    List<String> models = List.of();

    @Option(
            names = "--methods",
            paramLabel = "M[,M...]",
            split = ",",
            defaultValue = "lora,sorsa",
            description = "Adapters on all linear layers of the blocks. Default: ${DEFAULT-VALUE}.")
    List<String> methods = List.of();

    @Option(
            names = "--ranks",
            paramLabel = "R[,R...]",
            split = ",",
            defaultValue = "16,128",
            description = "Their ranks. Default: ${DEFAULT-VALUE}.")
    List<Integer> ranks = List.of();

    @Option(
            names = "--lengths",
            paramLabel = "T[,T...]",
            split = ",",
            defaultValue = "128,512",
            description = "Tokens of the one text of a step. Default: ${DEFAULT-VALUE}.")
    List<Integer> lengths = List.of();

    @Option(
            names = "--precision",
            paramLabel = "P",
            defaultValue = "bf16",
            converter = ExecutionOptions.PrecisionConverter.class,
            description = "Of products with frozen weights: f32 or bf16. Default: ${DEFAULT-VALUE}.")
    Precision precision = Precision.BFLOAT16;

    @Option(names = "--recompute", description = "Compute activations once more in the backward pass.")
    boolean recompute;

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "3",
            description = "Measured steps, after the first; the median is shown. Default: ${DEFAULT-VALUE}.")
    int steps;

    @Option(
            names = "--weights-directory",
            paramLabel = "DIR",
            description =
                    "Where frozen weights lie in files without names: 4 bytes for each, twice where adapters put residuals in"
                            + " their place. Default: as in finetune.")
    Path weights = WeightPlace.usualDirectory();

    @Mixin
    WorkFolder work = new WorkFolder();

    @Override
    int run() throws IOException, InterruptedException {
        if (steps < 1 || Stream.concat(ranks.stream(), lengths.stream()).anyMatch(number -> number < 1)) {
            throw new InvalidInputException("--steps, --ranks and --lengths take 1 and more");
        }
        if (precision != Precision.FLOAT32 && precision != Precision.BFLOAT16) {
            throw new InvalidInputException("--precision takes f32 or bf16 here");
        }
        BenchOptions.requireKnown("--methods", methods, AdapterMethods.names());
        List<ScaleBench.Row> rows = ScaleBench.measure(
                new ScaleBench.Plan(
                        models,
                        methods,
                        ranks,
                        lengths,
                        precision == Precision.BFLOAT16,
                        recompute,
                        steps,
                        work.folder(),
                        weights),
                this::say);
        print(describe(rows), rows);
        return 0;
    }

    private static String describe(List<ScaleBench.Row> rows) {
        TextTable table = new TextTable(
                "model",
                "method",
                "r",
                "T",
                "products",
                "GB at most",
                "GB planned",
                "to first step, s",
                "a step, s",
                "GF/s");
        rows.forEach(row -> table.row(
                row.model(),
                row.method(),
                Integer.toString(row.rank()),
                Integer.toString(row.length()),
                row.precision() + (row.recomputed() ? ", recomputed" : ""),
                Numbers.decimal(row.run().peakBytes() / 1e9, 2),
                Numbers.decimal(row.plannedBytes() / 1e9, 2),
                Numbers.decimal(row.run().secondsToFirstStep(), 1),
                Numbers.decimal(row.run().stepSeconds(), 2),
                Numbers.decimal(row.gigaflops(), 0)));
        return table.render();
    }
}
