package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import onnx.Onnx;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Holds the import of an ONNX file against ONNX Runtime.
 *
 * <p>Both run on the same random inputs, at three batch and sequence sizes if the file leaves them open, at the declared
 * shape if not. Token ids stay below the height of the embedding they index, masks end in zeros, caches of past keys
 * and values hold one to three tokens.
 */
public final class OnnxVerifier {
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
        return verify(file, OnnxImporter.load(file), InputSizes.SAMPLES, tolerance, seed);
    }

    /** As {@link #verify(Path, double, long)}, for a file that is already imported, at sizes of the caller's choice. */
    static Verification verify(
            Path file, ImportedModel imported, List<InputSizes> samples, double tolerance, long seed) {
        RandomInputs inputs = new RandomInputs(read(file).getGraph());
        int count = InputSizes.anyOpen(inputs.inputs()) ? samples.size() : 1;
        Random random = new Random(seed);
        List<Verification.Comparison> comparisons = new ArrayList<>();
        try (OnnxRuntimeModel reference = new OnnxRuntimeModel(file)) {
            for (InputSizes sizes : samples.subList(0, count)) {
                Map<String, INDArray> given = inputs.draw(sizes, random);
                String described = sizes.describe(inputs.inputs());
                Map<String, INDArray> expected = reference.run(given);
                Map<String, INDArray> actual = run(imported, given);
                expected.forEach((name, array) ->
                        comparisons.add(Verification.Comparison.of(described, name, array, actual.get(name))));
            }
        }
        return new Verification(tolerance, comparisons);
    }

    /**
     * Every output of an imported graph, by its name in the file. Inputs that nothing reads are left out: the graph does
     * not have them.
     */
    static Map<String, INDArray> run(ImportedModel imported, Map<String, INDArray> given) {
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

    private static Onnx.ModelProto read(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return Onnx.ModelProto.parseFrom(in);
        } catch (IOException e) {
            throw new InvalidInputException(file + " cannot be read as an ONNX model: " + e.getMessage(), e);
        }
    }
}
