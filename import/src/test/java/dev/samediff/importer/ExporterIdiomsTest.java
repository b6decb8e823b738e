package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** Turns of phrase that exporters use, at several sizes. */
class ExporterIdiomsTest {
    @TempDir
    Path folder;

    private static HostTensor whole(long value) {
        return HostTensor.of(DataType.LONG, new long[0], new long[] {value});
    }

    private static HostTensor reals(long... shape) {
        double[] values = new double[(int) HostTensor.length(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.sin(1.3 * i + shape[0]);
        }
        return HostTensor.of(DataType.FLOAT, shape, values);
    }

    private void assertRuns(TinyModel model) {
        Verification verification = OnnxVerifier.verify(model.write(folder), 1e-5, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    /** The padding is zero for some lengths. */
    @Test
    void padding_to_a_multiple() {
        assertRuns(new TinyModel(13)
                .input("x", DataType.FLOAT, -1, -2, 8)
                .initializer("one", whole(1))
                .initializer("four", whole(4))
                .initializer("first", HostTensor.vector(0))
                .initializer("before", HostTensor.vector(0, 0, 0, 0))
                .initializer("behind", HostTensor.vector(0))
                .node("Shape", "x", "shape")
                .node("Gather", "shape one", "length")
                .node("Mod", "length four", "over")
                .node("Sub", "four over", "missing")
                .node("Mod", "missing four", "count")
                .node("Unsqueeze", "count first", "counts")
                .node("Concat", "before counts behind", "pads", "axis", 0)
                .node("Pad", "x pads", "y")
                .output("y"));
    }

    @Test
    void experts_chosen_by_their_scores() {
        assertRuns(new TinyModel(13)
                .input("x", DataType.FLOAT, -1, -2, 6)
                .initializer("router", reals(6, 3))
                .initializer("k", HostTensor.vector(2))
                .initializer("first", reals(6, 6))
                .initializer("second", reals(6, 6))
                .initializer("third", reals(6, 6))
                .node("MatMul", "x router", "scores")
                .node("TopK", "scores k", "best places", "axis", -1)
                .node("Softmax", "best", "weights", "axis", -1)
                .node("Shape", "scores", "shape")
                .node("ConstantOfShape", "shape", "none")
                .node("ScatterElements", "none places weights", "gates", "axis", -1)
                .node("Split", "gates", "g1 g2 g3", "axis", -1)
                .node("MatMul", "x first", "e1")
                .node("MatMul", "x second", "e2")
                .node("MatMul", "x third", "e3")
                .node("Mul", "g1 e1", "a1")
                .node("Mul", "g2 e2", "a2")
                .node("Mul", "g3 e3", "a3")
                .node("Sum", "a1 a2 a3", "y")
                .output("y"));
    }

    @Test
    void a_causal_mask_cut_from_a_triangle_of_the_size_of_the_text() {
        assertRuns(new TinyModel(15)
                .input("x", DataType.FLOAT, -1, -2, 4)
                .initializer("k", whole(1))
                .initializer("one", HostTensor.vector(1))
                .initializer("two", HostTensor.vector(2))
                .initializer("first", HostTensor.vector(0))
                .node("Shape", "x", "shape")
                .node("Slice", "shape one two", "length")
                .node("Concat", "length length", "square", "axis", 0)
                .node(
                        "ConstantOfShape",
                        "square",
                        "full",
                        "value",
                        HostTensor.filled(DataType.FLOAT, new long[] {1}, -3e38))
                .node("Trilu", "full k", "triangle", "upper", 1)
                .node("Unsqueeze", "triangle first", "mask")
                .node("Shape", "x", "batch", "end", 1)
                .node("Concat", "batch square", "target", "axis", 0)
                .node("Expand", "mask target", "wide")
                .node("Transpose", "x", "turned", "perm", new long[] {0, 2, 1})
                .node("MatMul", "x turned", "scores")
                .node("Add", "scores wide", "masked")
                .node("Softmax", "masked", "weights", "axis", -1)
                .node("MatMul", "weights x", "y")
                .output("y"));
    }
}
