package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Where: what is not chosen may be infinite or no number. */
class InfiniteChoiceTest {
    @TempDir
    Path folder;

    @Test
    void infinities_that_are_not_chosen_do_not_matter() {
        Path file = new TinyModel(18)
                .input("x", DataType.FLOAT, -1)
                .input("w", DataType.FLOAT, -1)
                .initializer("zero", HostTensor.of(DataType.FLOAT, new long[0], new double[] {0}))
                .initializer("two", HostTensor.of(DataType.FLOAT, new long[0], new double[] {2}))
                .node("Greater", "x zero", "positive")
                .node("Log", "x", "log")
                .node("Mul", "log two", "twice")
                .node("Where", "positive twice w", "y")
                .output("y")
                .write(folder);
        INDArray x = Nd4j.createFromArray(2f, 0f, -3f, 0.5f);
        INDArray w = Nd4j.createFromArray(5f, 6f, 7f, Float.NEGATIVE_INFINITY);
        ImportedModel model = OnnxImporter.load(file);
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            INDArray expected = runtime.run(Map.of("x", x, "w", w)).get("y");
            INDArray actual = model.graph().output(Map.of("x", x, "w", w), "y").get("y");
            assertThat(actual.toFloatVector())
                    .containsExactly(expected.toFloatVector(), org.assertj.core.data.Offset.offset(1e-6f));
        }
        OperatorCases.makeTrainable(model.graph(), "w", w);
        model.graph().setLossVariables(model.graph().getVariable("y").sum().name());
        INDArray gradient =
                model.graph().calculateGradients(Map.of("x", x), "w/variable").get("w/variable");
        assertThat(gradient.toFloatVector()).containsExactly(0, 1, 1, 0);
    }
}
