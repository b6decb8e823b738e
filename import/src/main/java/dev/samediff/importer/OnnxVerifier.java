package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.onnx.OnnxFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import onnx.Onnx;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Holds the import of an ONNX file against ONNX Runtime.
 *
 * <p>Both run on the same random inputs, at three batch and sequence sizes if the file leaves them open, at the declared
 * shape if not; a {@link VerificationPlan} asks for other sizes, the longest text, and double precision. Token ids stay below the
 * height of the embedding they index, masks hide the end, the beginning and whole rows of texts, caches of past keys and values
 * hold no to three tokens.
 */
public final class OnnxVerifier {
    private static final String TRANSLATED = "compared with ONNX Runtime on the ONNX model that the TensorFlow graph is"
            + " translated to, not with TensorFlow: a mistake of the translation itself would not show";

    private static final String BUILT = "compared with ONNX Runtime on the ONNX model that is built from the folder: a"
            + " field of config.json that is misread would not show";

    private static final String UNROUNDED =
            "the file quantises activations, the import does not: compared with ONNX Runtime"
                    + " on the same model without quantised numbers";

    private OnnxVerifier() {}

    /**
     * Imports a file and compares every output with ONNX Runtime.
     *
     * @param file an ONNX model
     * @param tolerance the largest absolute difference that passes, 1e-4 for float32 transformers
     * @param seed of the random inputs; equal seeds give equal inputs
     * @throws InvalidInputException if the file cannot be read, imported, or run by ONNX Runtime on such inputs
     */
    public static Verification verify(Path file, double tolerance, long seed) {
        return verify(file, VerificationPlan.quick(tolerance, seed));
    }

    /** As {@link #verify(Path, TensorFlowOptions, VerificationPlan)}, with all outputs. */
    public static Verification verify(Path file, VerificationPlan plan) {
        return verify(file, TensorFlowOptions.defaults(), plan);
    }

    /**
     * Imports a file and compares every output with ONNX Runtime.
     *
     * <p>A Hugging Face folder is compared with the ONNX model that is built from it. A TensorFlow graph is compared with ONNX Runtime on the ONNX model it is translated to, which says nothing about the
     * translation; a model that quantises activations with ONNX Runtime on the same model without quantised numbers, and the
     * difference of the two in ONNX Runtime is told. The notes say so.
     *
     * @param file an ONNX model, a Hugging Face folder, a frozen TensorFlow graph or a SavedModel folder
     * @throws InvalidInputException if the file cannot be read, imported, or run by ONNX Runtime on such inputs
     */
    public static Verification verify(Path file, TensorFlowOptions options, VerificationPlan plan) {
        ImportedModel single = ModelImporter.load(file, options);
        Optional<ImportedModel> twice = plan.inDouble()
                ? Optional.of(ModelImporter.load(file, options.withGraph(ImportOptions.inDoublePrecision())))
                : Optional.empty();
        if (ModelFormat.of(file) == ModelFormat.TENSORFLOW) {
            return byCopy(
                    file,
                    copy -> TensorFlowImporter.toOnnx(file, copy, options),
                    copy -> verify(copy, single, twice, Optional.empty(), List.of(TRANSLATED), plan));
        }
        if (ModelFormat.of(file) == ModelFormat.HUGGING_FACE) {
            OnnxFile built = HuggingFaceImporter.read(file, ImportOptions.defaults());
            return byCopy(
                    file,
                    built::writeReal,
                    copy -> verify(copy, single, twice, Optional.empty(), List.of(BUILT), plan));
        }
        OnnxFile read = OnnxFile.read(file);
        if (read.real().activations() > 0) {
            return byCopy(
                    file,
                    read::writeReal,
                    copy -> verify(copy, single, twice, Optional.of(file), List.of(UNROUNDED), plan));
        }
        return verify(file, single, twice, Optional.empty(), List.of(), plan);
    }

    /** Writes a model to a file for the time of a verification. */
    @FunctionalInterface
    private interface Writer {
        void write(Path copy) throws IOException;
    }

    private static Verification byCopy(Path file, Writer writer, Function<Path, Verification> verification) {
        try {
            Path folder = Files.createTempDirectory("samediff");
            Path copy = folder.resolve("model.onnx");
            try {
                writer.write(copy);
                return verification.apply(copy);
            } finally {
                Files.deleteIfExists(copy);
                Files.deleteIfExists(folder.resolve("model.onnx.data"));
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write a copy of " + file + ": " + e.getMessage(), e);
        }
    }

    private static Verification verify(
            Path file,
            ImportedModel single,
            Optional<ImportedModel> twice,
            Optional<Path> rounded,
            List<String> remarks,
            VerificationPlan plan) {
        Onnx.GraphProto graph = single.model().getGraph();
        VerificationSizes sizes = new VerificationSizes(single, new RandomInputs(graph), plan);
        try (VerificationRun run = new VerificationRun(file, single, twice, plan)) {
            remarks.forEach(run::note);
            List<InputSizes> chosen = sizes.chosen();
            for (int i = 0; i < chosen.size(); i++) {
                run.compare(chosen.get(i), i % 2 == 0 ? RandomInputs.Hiding.RIGHT : RandomInputs.Hiding.LEFT);
            }
            sizes.edges().forEach(run::compareEdge);
            sizes.longest()
                    .ifPresent(longest -> run.note(sizes.noteOfLongest(run.compareLongest(longest, sizes::text))));
            rounded.ifPresent(
                    quantised -> run.compareRounding(quantised, sizes.chosen().get(0)));
            return run.result();
        }
    }

    /** As {@link #verify(Path, double, long)}, for a file that is already imported, at sizes of the caller's choice. */
    static Verification verify(
            Path file, ImportedModel imported, List<InputSizes> samples, double tolerance, long seed) {
        VerificationPlan plan = VerificationPlan.quick(tolerance, seed);
        List<Onnx.ValueInfoProto> inputs = new RandomInputs(imported.model().getGraph()).inputs();
        List<InputSizes> used = InputSizes.anyOpen(inputs) ? samples : samples.subList(0, 1);
        try (VerificationRun run = new VerificationRun(file, imported, Optional.empty(), plan)) {
            used.forEach(run::compare);
            return run.result();
        }
    }

    static Map<String, INDArray> inDouble(Map<String, INDArray> given) {
        Map<String, INDArray> wide = new LinkedHashMap<>();
        given.forEach(
                (name, array) -> wide.put(name, array.dataType().isFPType() ? array.castTo(DataType.DOUBLE) : array));
        return wide;
    }

    /**
     * Every output of an imported graph, by its name in the file. Inputs that nothing reads are left out: the graph does
     * not have them.
     */
    static Map<String, INDArray> run(ImportedModel imported, Map<String, INDArray> given) {
        imported.requireValid(given);
        Map<String, INDArray> read = new LinkedHashMap<>();
        for (TensorSpec input : imported.inputs()) {
            if (imported.graph().hasVariable(input.variable())) {
                read.put(input.variable(), given.get(input.name()));
            }
        }
        Map<String, INDArray> computed = imported.graph()
                .output(
                        read,
                        imported.outputs().stream().map(TensorSpec::variable).toList());
        Map<String, INDArray> outputs = new LinkedHashMap<>();
        imported.outputs().forEach(output -> outputs.put(output.name(), computed.get(output.variable())));
        return outputs;
    }
}
