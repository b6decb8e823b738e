package dev.samediff.samples.cli;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Destination;
import dev.samediff.adapters.io.SameDiffFile;
import dev.samediff.importer.HuggingFaceWriter;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.ModelFormat;
import dev.samediff.importer.ModelImporter;
import dev.samediff.importer.OnnxWriter;
import dev.samediff.samples.learn.TaskFile;
import dev.samediff.samples.learn.TextTasks;
import dev.samediff.samples.output.Numbers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
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
        huggingface,
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

    @Option(names = "--out", paramLabel = "PATH", required = true, description = "The file, or folder, to write.")
    Path out = Path.of("");

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description =
                    "${COMPLETION-CANDIDATES}: an ONNX file, a folder like the model's own, or SameDiff's FlatBuffers. Default:"
                            + " huggingface of such a folder, unless --out ends with .onnx; onnx of other models.")
    @Nullable
    Format format;

    @Option(
            names = "--overwrite",
            description = "Replace a file that is there, or a merged folder; of a symbolic link, what it points to.")
    boolean overwrite;

    @Override
    int run() throws IOException {
        Format chosen = chosen();
        if (chosen == Format.huggingface) {
            requireNewFolder();
        } else {
            if (Destination.file(out).exists() && !overwrite) {
                throw new InvalidInputException(out + " exists; name another file or give --overwrite");
            }
            OnnxWriter.requireReplaceable(Destination.file(out).path());
        }
        AdapterState state = AdapterFolder.load(adapter);
        ImportedModel imported =
                ModelImporter.load(ModelOptions.file(model), graph.chosen()).resizedFor(state);
        restoreHead(imported);
        AdaptedModel adapted = AdaptedModel.inject(imported, state);
        int layers = adapted.sites().size();
        switch (chosen) {
            case onnx -> OnnxWriter.writeMerged(imported, adapted.mergedWeights(), out);
            case huggingface -> {
                List<String> leftOut = HuggingFaceWriter.writeMerged(imported, adapted.mergedWeights(), out);
                if (!leftOut.isEmpty()) {
                    say("not copied, because they are weights of other formats, larger than 64 MiB or folders: "
                            + String.join(", ", leftOut));
                }
            }
            default -> SameDiffFile.save(adapted.mergedGraph(), out);
        }
        long bytes = bytes();
        Merged result = new Merged(out.toString(), chosen, layers, bytes);
        print(
                "merged " + result.layers() + " layers into " + out + " (" + Numbers.bytes(bytes) + ", " + chosen + ")",
                result);
        return 0;
    }

    /** The head that a run learned with its adapter stands in the run's description of its task. */
    private void restoreHead(ImportedModel imported) throws IOException {
        Path run = adapter.toAbsolutePath().normalize().getParent();
        if (run != null && Files.isRegularFile(run.resolve(TaskFile.NAME))) {
            TaskFile file = TaskFile.read(run);
            TextTasks.named(file.task()).restore(imported, file.settings());
        }
    }

    private Format chosen() {
        if (format != null) {
            return format;
        }
        boolean isFolder = model != null && ModelFormat.of(model) == ModelFormat.HUGGING_FACE;
        return isFolder && !out.toString().toLowerCase(Locale.ROOT).endsWith(".onnx")
                ? Format.huggingface
                : Format.onnx;
    }

    private void requireNewFolder() throws IOException {
        HuggingFaceWriter.requireElsewhere(ModelOptions.file(model), out);
        if (Files.isRegularFile(out)) {
            throw new InvalidInputException(out + " is a file, and a folder is to be written; name another one");
        }
        if (Files.isDirectory(out) && !overwrite) {
            try (Stream<Path> entries = Files.list(out)) {
                if (entries.findAny().isPresent()) {
                    throw new InvalidInputException(out + " exists; name another folder or give --overwrite");
                }
            }
        }
    }

    private long bytes() throws IOException {
        if (Files.isRegularFile(out)) {
            return Files.size(out);
        }
        try (Stream<Path> files = Files.list(out)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    /** The result for machines. */
    record Merged(String file, Format format, int layers, long bytes) {}
}
