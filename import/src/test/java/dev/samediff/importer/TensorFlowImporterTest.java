package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensorflow.TensorFlowModels;
import dev.samediff.importer.tensorflow.TensorFlowRuntime;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Whole models: TensorFlow computes them, and the imported graph must compute the same, forward and backward. */
class TensorFlowImporterTest {
    private static final double STEP = 1e-2;

    @TempDir
    Path folder;

    @BeforeAll
    static void tensorflow() {
        TensorFlowRuntime.require();
    }

    private static TensorFlowOptions options(TensorFlowModels model) {
        return TensorFlowOptions.defaults().withOutputs(model.outputs().toArray(new String[0]));
    }

    @ParameterizedTest
    @EnumSource(TensorFlowModels.class)
    void a_frozen_graph_computes_what_tensorflow_computes_at_two_shapes(TensorFlowModels model) {
        ImportedModel imported = TensorFlowImporter.load(model.frozen(folder), options(model));
        for (Map<String, INDArray> inputs : model.inputs()) {
            Map<String, INDArray> expected = model.run(inputs, Map.of());
            Map<String, INDArray> actual = imported.graph().output(inputs, List.copyOf(expected.keySet()));
            expected.forEach((name, value) -> assertClose(model + " " + name, actual.get(name), value, 1e-4));
        }
    }

    @ParameterizedTest
    @EnumSource(TensorFlowModels.class)
    void gradients_of_linear_weights_are_those_of_differences_of_tensorflows_results(TensorFlowModels model) {
        ImportedModel imported = TensorFlowImporter.load(model.frozen(folder), options(model));
        Map<String, INDArray> inputs = model.inputs().get(0);
        SameDiff graph = imported.graph();
        String output = model.outputs().get(model.outputs().size() - 1);
        INDArray factors =
                TensorFlowModels.factors(model.run(inputs, Map.of()).get(output).shape());
        SDVariable loss = graph.getVariable(output)
                .mul(graph.constant("factors", factors))
                .sum();
        graph.setLossVariables(loss.name());
        List<LinearLayer> layers = imported.linearLayers().stream()
                .filter(layer -> !layer.initializer().endsWith("::untied"))
                .filter(layer -> graph.getVariable(layer.weight()).getVariableType() == VariableType.VARIABLE)
                .toList();
        assertThat(layers).hasSizeGreaterThan(4);
        for (LinearLayer layer : List.of(layers.get(0), layers.get(3), layers.get(layers.size() - 1))) {
            INDArray gradient = graph.calculateGradients(inputs, layer.weight()).get(layer.weight());
            for (long[] place : new long[][] {{0, 0}, {3, 2}, {1, 4}}) {
                double expected = model.difference(layer.initializer(), place, inputs, output, factors, STEP);
                assertThat(gradient.getDouble(place))
                        .as("%s %s %s", model, layer.module(), List.of(place[0], place[1]))
                        .isCloseTo(expected, org.assertj.core.data.Offset.offset(4e-3 + 1e-2 * Math.abs(expected)));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TensorFlowModels.class)
    void the_translation_is_valid_onnx_and_computes_the_same(TensorFlowModels model) {
        Path onnx = folder.resolve("model.onnx");
        TensorFlowImporter.toOnnx(model.frozen(folder), onnx, options(model));
        Map<String, INDArray> inputs = model.inputs().get(1);
        Map<String, INDArray> expected = new LinkedHashMap<>(model.run(inputs, Map.of()));
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(onnx)) {
            Map<String, INDArray> actual = runtime.run(inputs);
            expected.forEach((name, value) -> assertClose(model + " " + name, actual.get(name), value, 1e-4));
        }
    }

    static void assertClose(String what, INDArray actual, INDArray expected, double tolerance) {
        assertThat(actual.shape()).as(what).containsExactly(expected.shape());
        double error = actual.castTo(org.nd4j.linalg.api.buffer.DataType.DOUBLE)
                .sub(expected.castTo(org.nd4j.linalg.api.buffer.DataType.DOUBLE))
                .amaxNumber()
                .doubleValue();
        assertThat(error).as(what).isLessThan(tolerance);
    }
}
