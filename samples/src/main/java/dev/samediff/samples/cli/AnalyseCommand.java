package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.LockFile;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.ModelImporter;
import dev.samediff.samples.analyse.Analysis;
import dev.samediff.samples.analyse.AnalysisReport;
import dev.samediff.samples.analyse.AnalysisTables;
import dev.samediff.samples.analyse.KeptSteps;
import dev.samediff.samples.analyse.Row;
import dev.samediff.samples.analyse.WholeWeights;
import dev.samediff.samples.finetune.RunFolder;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code analyse}: what training did to the weights. */
@CommandLine.Command(
        name = "analyse",
        description =
                "Shows what training did to the singular values and vectors of a model's weights, by matrix and step:"
                        + " how far they moved (SORSA, equations 1 to 4) over all of them and over the leading r, angles, condition"
                        + " numbers, orthonormality, ranks.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "In the folder of the results: analysis.csv (every matrix of every step), report.html, summary.json (means).",
            "",
            "Examples:",
            "  samples/run finetune --keep-adapters 20 --eval-every 20 --out run1",
            "  samples/run analyse --adapter run1",
            "  samples/run analyse --model m.onnx --adapter sorsa=run1 --adapter lora=run2 --rank 8 --out compared",
            "  samples/run analyse --model base.safetensors --after full=tuned.safetensors --rank 8"
        })
final class AnalyseCommand extends Command {
    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description = "The base model: an ONNX file, a Hugging Face folder, a TensorFlow graph; with --after also a"
                    + " .safetensors file. Default: the bundled story model.")
    @Nullable
    Path model;

    @Mixin
    GraphOptions graph = new GraphOptions();

    @Option(
            names = "--adapter",
            paramLabel = "[NAME=]DIR",
            description =
                    "A run of finetune (all steps that --keep-adapters kept, or else its adapter), or an adapter's"
                            + " folder, PEFT's too. May be given several times.")
    List<String> adapters = new ArrayList<>();

    @Option(
            names = "--after",
            paramLabel = "[NAME=]MODEL",
            description = "The model, or the .safetensors file, after weights were trained whole: all, or some. What is"
                    + " equal to the base is left out. May be given several times.")
    List<String> after = new ArrayList<>();

    @Option(
            names = "--rank",
            paramLabel = "R",
            description = "How many singular values and vectors are the leading ones. Default: each adapter's rank.")
    @Nullable
    Integer rank;

    @ArgGroup(validate = false, heading = "%nResults%n")
    FolderOptions output = new FolderOptions();

    @Override
    int run() throws IOException {
        if (adapters.isEmpty() && after.isEmpty()) {
            throw new InvalidInputException(
                    "there is nothing to analyse; give --adapter DIR, or --after MODEL for weights that were trained whole");
        }
        if (rank != null && rank < 1) {
            throw new InvalidInputException("--rank " + rank + " is not possible; give 1 or more");
        }
        List<KeptSteps.Step> steps = new ArrayList<>();
        for (String word : adapters) {
            steps.addAll(KeptSteps.of(word));
        }
        List<KeptSteps.Step> models = after.stream().map(KeptSteps::named).toList();
        requireDistinct(steps, models);
        Analysis analysis = new Analysis(rank == null ? OptionalInt.empty() : OptionalInt.of(rank), progress());
        RunFolder folder = output.folder("analyse");
        boolean tensors = model != null && WholeWeights.isTensors(model);
        if (tensors && !steps.isEmpty()) {
            throw new InvalidInputException("--adapter needs a model, and --model " + model
                    + " is a file of tensors; give the ONNX file or the folder the adapter was trained on");
        }
        List<AdapterState> states = Analysis.load(steps);
        ImportedModel imported = tensors ? null : load(ModelOptions.file(model), states);
        if (imported != null && !steps.isEmpty()) {
            analysis.adapters(imported, steps, states);
        }
        if (!models.isEmpty()) {
            Map<String, INDArray> before = imported == null
                    ? WholeWeights.ofTensors(ModelOptions.file(model))
                    : WholeWeights.ofModel(imported);
            for (KeptSteps.Step step : models) {
                analysis.whole(step, before, matrices(step.path(), tensors));
            }
        }
        write(analysis, folder);
        return 0;
    }

    private static void requireDistinct(List<KeptSteps.Step> steps, List<KeptSteps.Step> models) {
        Set<String> names = new HashSet<>();
        List<KeptSteps.Step> all = new ArrayList<>(steps);
        all.addAll(models);
        for (KeptSteps.Step step : all) {
            if (!names.add(step.run() + '\n' + step.step())) {
                throw new InvalidInputException("two of what is to be analysed are called " + step.run()
                        + "; give them names, such as --adapter first=" + step.path());
            }
        }
    }

    private ImportedModel load(Path file, List<AdapterState> states) throws IOException {
        ImportedModel imported = ModelImporter.load(file, graph.chosen());
        for (AdapterState state : states) {
            imported = imported.resizedFor(state);
        }
        return imported;
    }

    private Map<String, INDArray> matrices(Path path, boolean tensors) throws IOException {
        if (WholeWeights.isTensors(path) != tensors) {
            throw new InvalidInputException("--after " + path + " and the base model must be of one kind: two files of"
                    + " tensors (.safetensors), or two models");
        }
        return tensors ? WholeWeights.ofTensors(path) : WholeWeights.ofModel(load(path, List.of()));
    }

    private void write(Analysis analysis, RunFolder folder) throws IOException {
        List<Row> rows = analysis.rows();
        List<Row> means = AnalysisTables.means(rows);
        String base = model == null ? "bundled story model" : model.toString();
        try (LockFile lock = output.open(folder)) {
            DurableFiles.writeText(folder.analysis(), analysis.csv());
            DurableFiles.writeText(folder.summary(), Json.pretty(means));
            DurableFiles.writeText(folder.report(), AnalysisReport.render(rows, base, commandLine()));
        }
        print(
                AnalysisTables.table(means, false).render() + "\n\n" + "numbers  " + folder.analysis() + "\nreport   "
                        + folder.report(),
                new Analysed(folder.path().toString(), means));
    }

    /**
     * The result for machines.
     *
     * @param folder where everything is
     * @param means the means over the matrices, by run and step
     */
    record Analysed(String folder, List<Row> means) {}
}
