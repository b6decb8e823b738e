package dev.samediff.samples.cli;

import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.samples.bench.ImportBench;
import dev.samediff.samples.bench.network.GptFile;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code bench import}: time and memory of importing a large file in a fresh process. */
@CommandLine.Command(
        name = "import",
        description =
                "Makes a GPT-2-like ONNX file of a given size, imports it in fresh processes, and compares time and peak"
                        + " memory with reading the file.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BenchImportCommand extends Command {
    private static final int SMALLEST = 400;

    @Option(
            names = "--megabytes",
            paramLabel = "N",
            defaultValue = "500",
            description = "Size of the file in units of 10^6 bytes, 400 and more. Default: ${DEFAULT-VALUE}.")
    int megabytes;

    @Option(names = "--model", paramLabel = "M.onnx", description = "Import this file and make none.")
    @Nullable
    Path model;

    @Option(
            names = "--runs",
            paramLabel = "N",
            defaultValue = "5",
            description = "Runs of each kind, alternating; medians are shown. Default: ${DEFAULT-VALUE}.")
    int runs;

    @Override
    int run() throws IOException, InterruptedException {
        if (megabytes < SMALLEST || runs < 1) {
            throw new CommandLine.ParameterException(
                    spec().commandLine(), "--megabytes takes " + SMALLEST + " and more, --runs 1 and more");
        }
        Path folder = Files.createTempDirectory("samediff-bench-");
        try {
            Path file = model == null ? folder.resolve("large.onnx") : model;
            if (model == null) {
                say("making " + megabytes + " MB ...");
                GptFile.writeLarge(file, megabytes);
            }
            say("measuring ...");
            ImportBench.Result result =
                    ImportBench.measure(file, BundledModel.extract().onnx(), runs);
            print(describe(result), result);
        } finally {
            DurableFiles.deleteTree(folder);
        }
        return 0;
    }

    private static String describe(ImportBench.Result result) {
        return new TextTable("what", "found")
                .row("file", Numbers.bytes(result.fileBytes()))
                .row("reading it (page cache)", Numbers.decimal(result.readSeconds(), 3) + " s")
                .row("importing it", Numbers.decimal(result.importSeconds(), 3) + " s, ND4J's start included")
                .row("the whole process", Numbers.decimal(result.processSeconds(), 3) + " s")
                .row("the same for a small file", Numbers.decimal(result.emptySeconds(), 3) + " s")
                .row(
                        "peak memory",
                        Numbers.bytes(result.peakBytes()) + ", "
                                + Numbers.decimal((double) result.peakBytes() / result.fileBytes(), 2)
                                + " of the file")
                .row("the same for a small file", Numbers.bytes(result.emptyBytes()))
                .render();
    }
}
