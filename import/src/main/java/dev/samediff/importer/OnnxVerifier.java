package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import onnx.Onnx;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Holds the import of an ONNX file against ONNX Runtime.
 *
 * <p>Both run on the same random inputs, at three batch and sequence sizes if the file leaves them open, at the declared
 * shape if not; a {@link VerificationPlan} asks for other sizes, the longest text, and double precision. Token ids stay below the height of the embedding they index, masks end in zeros, caches of past keys
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
        return verify(file, VerificationPlan.quick(tolerance, seed));
    }

    /**
     * Imports a file and compares every output with ONNX Runtime.
     *
     * @param file an ONNX model
     * @throws InvalidInputException if the file cannot be read, imported, or run by ONNX Runtime on such inputs
     */
    public static Verification verify(Path file, VerificationPlan plan) {
        ImportedModel single = OnnxImporter.load(file);
        Onnx.GraphProto graph = single.model().getGraph();
        VerificationSizes sizes = new VerificationSizes(graph, new RandomInputs(graph), plan);
        Optional<ImportedModel> twice = plan.inDouble()
                ? Optional.of(OnnxImporter.load(file, ImportOptions.inDoublePrecision()))
                : Optional.empty();
        return verify(file, single, twice, sizes.chosen(), sizes.notes(), plan);
    }

    /** As {@link #verify(Path, double, long)}, for a file that is already imported, at sizes of the caller's choice. */
    static Verification verify(
            Path file, ImportedModel imported, List<InputSizes> samples, double tolerance, long seed) {
        VerificationPlan plan = VerificationPlan.quick(tolerance, seed);
        List<Onnx.ValueInfoProto> inputs = new RandomInputs(imported.model().getGraph()).inputs();
        List<InputSizes> used = InputSizes.anyOpen(inputs) ? samples : samples.subList(0, 1);
        return verify(file, imported, Optional.empty(), used, List.of(), plan);
    }

    private static Verification verify(
            Path file,
            ImportedModel single,
            Optional<ImportedModel> twice,
            List<InputSizes> samples,
            List<String> chosen,
            VerificationPlan plan) {
        RandomInputs inputs = new RandomInputs(single.model().getGraph());
        Random random = new Random(plan.seed());
        List<Verification.Comparison> comparisons = new ArrayList<>();
        List<String> notes = new ArrayList<>(chosen);
        try (OnnxRuntimeModel reference = new OnnxRuntimeModel(file)) {
            for (InputSizes sizes : samples) {
                Map<String, INDArray> given = inputs.draw(sizes, random);
                String described = sizes.describe(inputs.inputs());
                Map<String, INDArray> expected = reference.run(given);
                Map<String, INDArray> actual = run(single, given);
                Map<String, INDArray> precise = twice.isPresent() ? run(twice.get(), inDouble(given)) : Map.of();
                expected.forEach((name, array) -> {
                    Verification.Comparison one = Verification.Comparison.of(
                            described, name, array, Objects.requireNonNull(actual.get(name), name));
                    INDArray wide = precise.get(name);
                    comparisons.add(one.with(
                            wide == null
                                    ? Double.NaN
                                    : Verification.Comparison.of(described, name, array, wide)
                                            .absolute(),
                            isHalf(single, reference, name) ? Verification.Comparison.HALF_LENIENCY : 1));
                });
            }
        }
        if (comparisons.stream().anyMatch(comparison -> comparison.leniency() > 1)) {
            notes.add("half precision: a tolerance of " + plan.tolerance() * Verification.Comparison.HALF_LENIENCY
                    + " instead of " + plan.tolerance());
        }
        return new Verification(plan.tolerance(), comparisons, notes);
    }

    /** An output that is rounded to half precision, or computed from weights and activations that are. */
    private static boolean isHalf(ImportedModel imported, OnnxRuntimeModel reference, String output) {
        return reference.isHalf(output)
                || imported.model().getGraph().getInitializerList().stream()
                        .anyMatch(tensor -> tensor.getDataType() == Onnx.TensorProto.DataType.FLOAT16_VALUE
                                || tensor.getDataType() == Onnx.TensorProto.DataType.BFLOAT16_VALUE);
    }

    private static Map<String, INDArray> inDouble(Map<String, INDArray> given) {
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
