package dev.samediff.importer;

import static dev.samediff.importer.WeightsBehindNodesTest.model;
import static dev.samediff.importer.WeightsBehindNodesTest.reals;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Weights that multiply activations and are no layer: named, with the reason. */
class NotAdaptedTest {
    @TempDir
    Path folder;

    private static TinyModel experts() {
        return model().initializer("axis", HostTensor.vector(1))
                .node("Unsqueeze", "x axis", "u")
                .node("Transpose", "u", "t", "perm", new long[] {0, 1, 3, 2})
                .initializer("turned.weight", reals(3, 6, 4))
                .named("/turned/MatMul", "MatMul", "turned.weight t", "y")
                .output("y", DataType.FLOAT, -1, 3, 6, -2);
    }

    private static TinyModel chosen() {
        return new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .input("expert", DataType.LONG, -1)
                .initializer("experts.weight", reals(3, 4, 6))
                .initializer("axis", HostTensor.vector(1))
                .node("Gather", "experts.weight expert", "picked")
                .node("Unsqueeze", "x axis", "rows")
                .node("MatMul", "rows picked", "y")
                .output("y", DataType.FLOAT, -1, 1, 6);
    }

    private static TinyModel cut() {
        return new TinyModel(17)
                .input("x", DataType.FLOAT, -1, -2, 4)
                .initializer("spatial.weight", reals(8, 8))
                .initializer("zero", HostTensor.vector(0))
                .initializer("one", HostTensor.vector(1))
                .node("Shape", "x", "sizes")
                .node("Gather", "sizes one", "tokens")
                .node("Slice", "spatial.weight zero tokens zero", "rows")
                .node("Slice", "rows zero tokens one", "square")
                .node("MatMul", "square x", "y")
                .output("y", DataType.FLOAT, -1, -2, 4);
    }

    private static TinyModel grouped() {
        return new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4, -2)
                .initializer("conv.weight", reals(4, 1, 3))
                .named("/conv/Conv", "Conv", "x conv.weight", "y", "group", 4, "pads", new long[] {1, 1})
                .output("y", DataType.FLOAT, -1, 4, -2);
    }

    private static TinyModel fourAxes() {
        return model().initializer("w", reals(2, 5, 4, 6))
                .node("Einsum", "x w", "y", "equation", "btc,fecd->btfed")
                .output("y", DataType.FLOAT, -1, -2, 2, 5, 6);
    }

    static Stream<Arguments> weights() {
        return Stream.of(
                Arguments.of("turned.weight", experts(), "stack of matrices [3, 6, 4]"),
                Arguments.of("experts.weight", chosen(), "matrices [3, 4, 6] are looked up"),
                Arguments.of("spatial.weight", cut(), "numbers that are not known while importing"),
                Arguments.of("conv.weight", grouped(), "4 groups"),
                Arguments.of("w", fourAxes(), "btc,fecd->btfed"));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("weights")
    void weights_that_are_no_single_matrix_are_named_with_the_reason(String tensor, TinyModel model, String reason) {
        assertThat(OnnxImporter.inspect(model.write(folder)).notAdapted())
                .singleElement()
                .satisfies(weight -> {
                    assertThat(weight.tensor()).isEqualTo(tensor);
                    assertThat(weight.reason()).contains(reason);
                });
    }

    /** By {@code inspect} and in the report, by the name that the graph's variable has. */
    @Test
    void stacks_of_matrices_are_named_as_in_the_graph() {
        Path file = experts().write(folder);
        ImportedModel model = OnnxImporter.load(file);
        assertThat(OnnxImporter.inspect(file).notAdapted())
                .isEqualTo(model.report().notAdapted())
                .singleElement()
                .satisfies(weight -> assertThat(weight.tensor()).isEqualTo("turned.weight"));
        assertThat(model.graph().hasVariable("turned.weight")).isTrue();
        assertThat(OnnxVerifier.verify(file, VerificationPlan.quick(1e-5, 1)).passed())
                .isTrue();
    }
}
