package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.function.LongFunction;
import onnx.Onnx;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One verification under way: the import and ONNX Runtime side by side on the same random inputs. */
final class VerificationRun implements AutoCloseable {
    /** Shorter texts than this are no long ones. */
    private static final long SHORTEST = 8;

    private final ImportedModel single;
    private final Optional<ImportedModel> twice;
    private final VerificationPlan plan;
    private final OnnxRuntimeModel reference;
    private final RandomInputs inputs;
    private final Random random;
    private final List<Verification.Comparison> comparisons = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    /** Loads the file into ONNX Runtime. */
    VerificationRun(Path file, ImportedModel single, Optional<ImportedModel> twice, VerificationPlan plan) {
        this.single = single;
        this.twice = twice;
        this.plan = plan;
        this.inputs = new RandomInputs(single.model().getGraph());
        this.random = new Random(plan.seed());
        this.reference = new OnnxRuntimeModel(file);
        if (inputs.showsAll()) {
            note("masks show all tokens: ONNX Runtime's attention of grouped queries takes no others");
        }
    }

    void note(String text) {
        notes.add(text);
    }

    /**
     * Compares every output at these sizes.
     *
     * @throws InvalidInputException if ONNX Runtime cannot run them
     */
    void compare(InputSizes sizes) {
        compare(sizes, RandomInputs.Hiding.RIGHT);
    }

    /**
     * Compares every output at these sizes.
     *
     * @throws InvalidInputException if ONNX Runtime cannot run them
     */
    void compare(InputSizes sizes, RandomInputs.Hiding hiding) {
        String described = sizes.describe(inputs.inputs());
        compare(
                inputs.draw(sizes, hiding, random),
                inputs.hasMask()
                        ? described + ", padded on the " + hiding.name().toLowerCase(Locale.ROOT)
                        : described,
                1);
    }

    /** As {@link #compare}, with inputs at the edge of what a model takes; what ONNX Runtime cannot run is told and left out. */
    void compareEdge(VerificationSizes.Edge edge) {
        Map<String, INDArray> given = inputs.draw(edge.sizes(), edge.hiding(), random);
        String described = edge.sizes().describe(inputs.inputs()) + ", " + edge.title();
        try {
            reference.run(given);
        } catch (InvalidInputException e) {
            note(edge.title() + ": ONNX Runtime cannot run this model on it, so it was not compared");
            return;
        }
        compare(given, described, edge.leniency());
    }

    private void compare(Map<String, INDArray> given, String described, double leniency) {
        Map<String, INDArray> expected = reference.run(given);
        Map<String, INDArray> actual;
        Map<String, INDArray> precise;
        try {
            actual = OnnxVerifier.run(single, given);
            precise = twice.isPresent() ? OnnxVerifier.run(twice.get(), OnnxVerifier.inDouble(given)) : Map.of();
        } catch (InvalidInputException e) {
            throw e;
        } catch (RuntimeException e) {
            failed(expected, described, leniency, e);
            return;
        }
        expected.forEach((name, array) -> {
            INDArray wide = precise.get(name);
            double inDouble = wide == null
                    ? Double.NaN
                    : Verification.Comparison.of(described, name, array, wide).absolute();
            comparisons.add(Verification.Comparison.of(
                            described, name, array, Objects.requireNonNull(actual.get(name), name))
                    .with(inDouble, Math.max(leniency, isHalf(name) ? Verification.Comparison.HALF_LENIENCY : 1)));
        });
    }

    /** A graph that cannot run where ONNX Runtime can differs in all outputs. */
    private void failed(Map<String, INDArray> expected, String described, double leniency, RuntimeException failure) {
        note("the imported graph cannot run at " + described + ": "
                + String.valueOf(failure.getMessage()).lines().findFirst().orElse(""));
        expected.forEach(
                (name, array) -> comparisons.add(Verification.Comparison.missing(described, name, array, leniency)));
    }

    /**
     * As {@link #compare}; if the file does not tell how long a text may be, half as long where ONNX Runtime fails.
     *
     * @param text gives the sizes of a text of another length
     * @return how many tokens were tried in the end
     */
    long compareLongest(InputSizes sizes, LongFunction<InputSizes> text) {
        try {
            compare(sizes);
            return sizes.total();
        } catch (InvalidInputException e) {
            if (sizes.total() < 2 * SHORTEST) {
                throw e;
            }
        }
        note("ONNX Runtime cannot run a text of " + sizes.total() + " tokens on this model");
        return compareLongest(text.apply(sizes.total() / 2), text);
    }

    /** Tells how much a model that rounds differs from this one, both in ONNX Runtime. */
    void compareRounding(Path rounding, InputSizes sizes) {
        Map<String, INDArray> given = inputs.draw(sizes, random);
        try (OnnxRuntimeModel other = new OnnxRuntimeModel(rounding)) {
            Map<String, INDArray> rounded = other.run(given);
            reference.run(given).forEach((name, array) -> {
                Verification.Comparison one =
                        Verification.Comparison.of("", name, array, Objects.requireNonNull(rounded.get(name), name));
                note(String.format(
                        Locale.ROOT,
                        "in ONNX Runtime quantising changes %s by up to %.3g, %.2g of its largest entry",
                        name,
                        one.absolute(),
                        one.relative()));
            });
        }
    }

    Verification result() {
        if (comparisons.stream().anyMatch(comparison -> isHalf(comparison.output()))) {
            note("half precision: a tolerance of " + plan.tolerance() * Verification.Comparison.HALF_LENIENCY
                    + " instead of " + plan.tolerance());
        }
        return new Verification(plan.tolerance(), comparisons, notes);
    }

    /** An output that is rounded to half precision, or computed from weights and activations that are. */
    private boolean isHalf(String output) {
        return reference.isHalf(output)
                || single.model().getGraph().getInitializerList().stream()
                        .anyMatch(tensor -> tensor.getDataType() == Onnx.TensorProto.DataType.FLOAT16_VALUE
                                || tensor.getDataType() == Onnx.TensorProto.DataType.BFLOAT16_VALUE);
    }

    @Override
    public void close() {
        reference.close();
    }
}
