package dev.samediff.importer;

import static dev.samediff.importer.ChoiceTest.INF;
import static dev.samediff.importer.ChoiceTest.LOWEST;
import static dev.samediff.importer.ChoiceTest.number;
import static dev.samediff.importer.ChoiceTest.texts;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Rows of scores that a mask hides whole: what ONNX Runtime makes of them, and gradients that are numbers, in every engine. */
class HiddenRowsTest {
    @TempDir
    Path folder;

    private static void assertSame(Path file, Map<String, INDArray> inputs) {
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            List<String> expected =
                    texts(Objects.requireNonNull(runtime.run(inputs).get("y")));
            EveryEngine.output(OnnxImporter.load(file), inputs, "y")
                    .forEach((engine, actual) ->
                            assertThat(texts(actual)).as(engine).isEqualTo(expected));
        }
    }

    /** As torch 2.9 writes scaled_dot_product_attention with a mask of truth values. */
    @Test
    void a_row_that_is_hidden_whole_is_what_the_file_says_and_has_no_slope() {
        for (String written : List.of("guarded", "plain")) {
            TinyModel model = new TinyModel(18)
                    .input("x", DataType.FLOAT, -1, -2, 4)
                    .input("keep", DataType.BOOL, -1, -2, -2)
                    .initializer("zero", number(0))
                    .initializer("minus", number(-INF))
                    .node("Transpose", "x", "t", "perm", new long[] {0, 2, 1})
                    .node("MatMul", "x t", "s")
                    .node("Where", "keep zero minus", "bias")
                    .node("Add", "s bias", "masked")
                    .node("Softmax", "masked", "p", "axis", -1);
            if (written.equals("guarded")) {
                model.node("IsNaN", "p", "none")
                        .node("Where", "none zero p", "q")
                        .node("MatMul", "q x", "y");
            } else {
                model.node("MatMul", "p x", "y");
            }
            Path file = model.output("y").write(folder);
            INDArray keep = Nd4j.createFromArray(true, true, false, false, false, false, true, false, true)
                    .reshape(1, 3, 3);
            Map<String, INDArray> inputs = Map.of("x", OperatorCases.reals(1, 3, 4), "keep", keep);
            assertSame(file, inputs);
            if (written.equals("guarded")) {
                Map<String, INDArray> gradients = EveryEngine.gradient(OnnxImporter.load(file), inputs, "y", "x");
                List<String> reference = texts(Objects.requireNonNull(gradients.get("SameDiff")));
                assertThat(reference).as("a gradient of NaN rows").doesNotContain("NaN");
                gradients.forEach((engine, gradient) ->
                        assertThat(texts(gradient)).as(engine).isEqualTo(reference));
            }
        }
    }

    /** The sum of two masks of the lowest number is minus infinity; older decoders take the larger of it and that number. */
    @Test
    void masks_that_add_up_to_minus_infinity_give_the_mean() {
        TinyModel model = new TinyModel(14)
                .input("x", DataType.FLOAT, -1, -2)
                .input("a", DataType.BOOL, -1, -2)
                .input("b", DataType.BOOL, -1, -2)
                .initializer("zero", number(0))
                .initializer("lowest", number(LOWEST))
                .node("Where", "a zero lowest", "m1")
                .node("Where", "b zero lowest", "m2")
                .node("Add", "m1 m2", "m")
                .node("Add", "x m", "s")
                .node("Max", "s lowest", "larger")
                .node("Softmax", "larger", "y", "axis", -1)
                .output("y");
        Path file = model.write(folder);
        INDArray none = Nd4j.createFromArray(true, false, false, true, false, false, false, false)
                .reshape(2, 4);
        INDArray other = Nd4j.createFromArray(true, false, true, false, false, false, false, false)
                .reshape(2, 4);
        Map<String, INDArray> inputs = Map.of("x", OperatorCases.reals(2, 4), "a", none, "b", other);
        assertSame(file, inputs);
        EveryEngine.gradient(OnnxImporter.load(file), inputs, "y", "x")
                .forEach((engine, gradient) ->
                        assertThat(texts(gradient)).as(engine).doesNotContain("NaN"));
    }
}
