package dev.samediff.samples.cli;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Destination;
import dev.samediff.adapters.io.SameDiffFile;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.ModelImporter;
import dev.samediff.importer.OnnxWriter;
import dev.samediff.samples.output.Numbers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code merge}: a model with an adapter's changes in its weights. */
@CommandLine.Command(
        name = "merge",
        description =
                "Writes a model whose weights contain an adapter's changes. It runs wherever the original runs; of a"
                        + " TensorFlow graph it is the ONNX translation.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  samples/run merge --model m.onnx --adapter run1/adapter --out merged.onnx"})
final class MergeCommand extends Command {
    /** What is written. */
    enum Format {
        onnx,
        samediff
    }

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description =
                    "The model the adapter was trained on: an ONNX file, a Hugging Face folder, or a TensorFlow graph (.pb, .pbtxt,"
                            + " SavedModel folder). Default: the bundled story model.")
    @Nullable
    Path model;

    @Mixin
    GraphOptions graph = new GraphOptions();

    @Option(names = "--adapter", paramLabel = "DIR", required = true, description = "The adapter's folder.")
    Path adapter = Path.of("");

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "Where to write.")
    Path out = Path.of("");

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "onnx",
            description = "${COMPLETION-CANDIDATES} (SameDiff's FlatBuffers). Default: ${DEFAULT-VALUE}.")
    Format format = Format.onnx;

    @Option(
            names = "--overwrite",
            description = "Replace a file that is there; of a symbolic link, the file it points to.")
    boolean overwrite;

    @Override
    int run() throws IOException {
        if (Destination.file(out).exists() && !overwrite) {
            throw new InvalidInputException(out + " exists; name another file or give --overwrite");
        }
        OnnxWriter.requireReplaceable(Destination.file(out).path());
        AdapterState state = AdapterFolder.load(adapter);
        ImportedModel imported =
                ModelImporter.load(ModelOptions.file(model), graph.chosen()).resizedFor(state);
        AdaptedModel adapted = AdaptedModel.inject(imported, state);
        int layers = adapted.sites().size();
        if (format == Format.onnx) {
            OnnxWriter.writeMerged(imported, adapted.mergedWeights(), out);
        } else {
            SameDiffFile.save(adapted.mergedGraph(), out);
        }
        long bytes = Files.size(out);
        Merged result = new Merged(out.toString(), format, layers, bytes);
        print(
                "merged " + result.layers() + " layers into " + out + " (" + Numbers.bytes(bytes) + ", " + format + ")",
                result);
        return 0;
    }

    /** The result for machines. */
    record Merged(String file, Format format, int layers, long bytes) {}
}
