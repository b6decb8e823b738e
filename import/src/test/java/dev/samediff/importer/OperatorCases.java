package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A family of operators against ONNX Runtime, with unknown and known sizes, and the gradient of every differentiable case
 * against differences of ONNX Runtime's own results.
 */
abstract class OperatorCases {
    @TempDir
    Path folder;

    /** One operator with its inputs; sizes in the file are unknown unless an input begins with '='. */
    private record Case(
            String title,
            int opset,
            String operator,
            Map<String, INDArray> inputs,
            Map<String, HostTensor> stored,
            String order,
            int outputs,
            boolean differentiable,
            Object... attributes) {}

    /** Operators whose coordinates are as many in every row as the file says. */
    private static final List<String> PLACES = List.of("GatherND", "ScatterND");

    private final List<Case> cases = new ArrayList<>();

    /** Adds the cases. */
    abstract void define();

    static INDArray reals(long... shape) {
        int length = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (1.3 * Math.sin(1.8 * i + 0.6) + 0.03 * i);
        }
        return Nd4j.createFromArray(values).reshape(shape);
    }

    static INDArray positive(long... shape) {
        return Nd4j.math().abs(reals(shape)).add(0.3);
    }

    static INDArray wholes(long... shape) {
        int length = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        long[] values = new long[length];
        for (int i = 0; i < length; i++) {
            values[i] = (7L * i + 3) % 11 - 4;
        }
        return Nd4j.createFromArray(values).reshape(shape);
    }

    static INDArray truths(long... shape) {
        return wholes(shape).gt(0);
    }

    static HostTensor ints(long... values) {
        return HostTensor.vector(values);
    }

    static HostTensor real(double value) {
        return HostTensor.of(DataType.FLOAT, new long[0], new double[] {value});
    }

    static HostTensor whole(long value) {
        return HostTensor.of(DataType.LONG, new long[0], new long[] {value});
    }

    /** Inputs in order: INDArrays are graph inputs, HostTensors initializers, null is absent; a String starts attributes. */
    void add(String title, int opset, String operator, int outputs, boolean gradient, Object... arguments) {
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        Map<String, HostTensor> stored = new LinkedHashMap<>();
        StringBuilder order = new StringBuilder();
        int i = 0;
        for (; i < arguments.length && !(arguments[i] instanceof String); i++) {
            String name = arguments[i] == null ? "-" : "in" + i;
            if (arguments[i] instanceof INDArray array) {
                inputs.put(name, array);
            } else if (arguments[i] instanceof HostTensor tensor) {
                stored.put(name, tensor);
            }
            order.append(i == 0 ? "" : " ").append(name);
        }
        Object[] attributes = Arrays.copyOfRange(arguments, i, arguments.length);
        cases.add(new Case(
                operator + " " + title,
                opset,
                operator,
                inputs,
                stored,
                order.toString(),
                outputs,
                gradient,
                attributes));
    }

    void smooth(String title, int opset, String operator, Object... arguments) {
        add(title, opset, operator, 1, true, arguments);
    }

    void plain(String title, int opset, String operator, Object... arguments) {
        add(title, opset, operator, 1, false, arguments);
    }

    @TestFactory
    Stream<DynamicTest> operators_match_onnx_runtime() {
        define();
        return cases.stream()
                .flatMap(one -> Stream.of(
                        DynamicTest.dynamicTest(one.title() + ", open sizes", () -> check(one, true)),
                        DynamicTest.dynamicTest(one.title() + ", known sizes", () -> check(one, false))));
    }

    private void check(Case one, boolean open) {
        Path file = write(one, open);
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            compare(one, open, file, runtime);
        }
    }

    private void compare(Case one, boolean open, Path file, OnnxRuntimeModel runtime) {
        Map<String, INDArray> expected = runtime.run(one.inputs());
        ImportedModel model = OnnxImporter.load(file);
        Map<String, INDArray> actual = model.graph().output(one.inputs(), new ArrayList<>(expected.keySet()));
        expected.forEach((name, reference) -> assertSame(one.title() + " " + name, actual.get(name), reference, 1e-5));
        if (open && one.differentiable()) {
            checkGradient(one, runtime, model.graph());
        }
    }

    private Path write(Case one, boolean open) {
        TinyModel model = new TinyModel(one.opset());
        int symbol = 1;
        for (Map.Entry<String, INDArray> input : one.inputs().entrySet()) {
            long[] dims = input.getValue().shape().clone();
            boolean indices = PLACES.contains(one.operator())
                    && !input.getValue().dataType().isFPType();
            for (int axis = 0; open && isOpen(one) && !indices && axis < dims.length; axis++) {
                if (dims[axis] != 1 && !isWidth(one, axis, dims.length)) {
                    dims[axis] = -(symbol++);
                }
            }
            model.input(input.getKey(), input.getValue().dataType(), dims);
        }
        one.stored().forEach(model::initializer);
        List<String> outputs = new ArrayList<>();
        for (int i = 0; i < one.outputs(); i++) {
            outputs.add("out" + i);
        }
        model.node(one.operator(), one.order(), String.join(" ", outputs), one.attributes());
        outputs.forEach(model::output);
        return model.write(folder);
    }

    /** Some operators need to know sizes that no file leaves open. */
    private static boolean isOpen(Case one) {
        return switch (one.operator()) {
            case "Squeeze", "DepthToSpace", "SpaceToDepth", "GroupNormalization" -> false;
            default -> !one.title().contains("computed weight") && !one.title().contains("uneven");
        };
    }

    /** Attention needs to know heads and their width. */
    private static boolean isWidth(Case one, int axis, int rank) {
        boolean heads = one.operator().endsWith("Attention") || one.operator().endsWith("RotaryEmbedding");
        return heads && rank > 2 && (axis == rank - 1 || (rank == 4 && axis == 1));
    }

    private static void assertSame(String what, INDArray actual, INDArray expected, double tolerance) {
        assertThat(actual.shape()).as(what).containsExactly(expected.shape());
        assertThat(actual.dataType()).as(what).isEqualTo(expected.dataType());
        double[] left = doubles(actual);
        double[] right = doubles(expected);
        for (int i = 0; i < left.length; i++) {
            double scale = Math.max(1, Math.abs(right[i]));
            assertThat(Math.abs(left[i] - right[i]) / scale)
                    .as(what + " element " + i + ": " + left[i] + " for " + right[i])
                    .isLessThan(tolerance);
        }
    }

    private static double[] doubles(INDArray array) {
        return array.castTo(DataType.DOUBLE).dup('c').reshape(array.length()).toDoubleVector();
    }

    /** The gradient of a weighted sum of all outputs, against central differences of ONNX Runtime. */
    private void checkGradient(Case one, OnnxRuntimeModel runtime, SameDiff graph) {
        Map<String, INDArray> inputs = one.inputs();
        Map<String, INDArray> outputs = runtime.run(inputs);
        Map<String, INDArray> weights = new HashMap<>();
        SDVariable loss = null;
        outputs.values().removeIf(array -> !array.dataType().isFPType());
        for (String output : outputs.keySet()) {
            INDArray weight = reals(Math.max(1, outputs.get(output).length()))
                    .reshape(outputs.get(output).shape().clone());
            weights.put(output, weight);
            SDVariable part =
                    graph.getVariable(output).mul(graph.constant(weight)).sum();
            loss = loss == null ? part : loss.add(part);
        }
        inputs.forEach((name, array) -> makeTrainable(graph, name, array));
        graph.setLossVariables(Objects.requireNonNull(loss).name());
        for (Map.Entry<String, INDArray> input : inputs.entrySet()) {
            if (input.getValue().dataType() == DataType.FLOAT) {
                String name = input.getKey() + "/variable";
                INDArray gradient = graph.calculateGradients(inputs, name).get(name);
                assertThat(gradient.shape()).containsExactly(input.getValue().shape());
                double[] actual = doubles(gradient);
                double[] expected = differences(runtime, inputs, input.getKey(), weights);
                for (int i = 0; i < actual.length; i++) {
                    assertThat(actual[i])
                            .as(one.title() + " gradient of " + input.getKey() + " " + i)
                            .isCloseTo(
                                    expected[i],
                                    org.assertj.core.api.Assertions.within(2e-2 * Math.max(1, Math.abs(expected[i]))));
                }
            }
        }
    }

    /** SameDiff differentiates with respect to VARIABLEs only: one takes the place of the input. */
    static void makeTrainable(SameDiff graph, String input, INDArray array) {
        if (array.dataType() != DataType.FLOAT) {
            return;
        }
        SDVariable variable = graph.var(input + "/variable", array.dup());
        for (SameDiffOp op : List.copyOf(graph.getOps().values())) {
            for (int i = 0; i < op.getInputsToOp().size(); i++) {
                if (op.getInputsToOp().get(i).equals(input)) {
                    graph.replaceArgFor(i, variable, op.getOp());
                }
            }
        }
    }

    private static double[] differences(
            OnnxRuntimeModel runtime, Map<String, INDArray> inputs, String name, Map<String, INDArray> weights) {
        double[] result = new double[(int) inputs.get(name).length()];
        float step = 4e-3f;
        for (int i = 0; i < result.length; i++) {
            double[] values = new double[2];
            for (int side = 0; side < 2; side++) {
                Map<String, INDArray> moved = new HashMap<>(inputs);
                INDArray array = inputs.get(name).dup('c');
                INDArray flat = array.reshape(array.length());
                flat.putScalar(i, flat.getFloat(i) + (side == 0 ? step : -step));
                moved.put(name, flat.reshape(inputs.get(name).shape()));
                Map<String, INDArray> results = runtime.run(moved);
                results.keySet().retainAll(weights.keySet());
                for (Map.Entry<String, INDArray> output : results.entrySet()) {
                    double[] numbers = doubles(output.getValue());
                    double[] factors = doubles(weights.get(output.getKey()));
                    for (int k = 0; k < numbers.length; k++) {
                        values[side] += numbers[k] * factors[k];
                    }
                }
            }
            result[i] = (values[0] - values[1]) / (2 * step);
        }
        return result;
    }

    /** Returns numbers of tokens. */
    static INDArray ids(int[]... rows) {
        return Nd4j.createFromArray(rows);
    }

    /** Returns a vector, such as lengths of texts. */
    static INDArray lengths(int... values) {
        return Nd4j.createFromArray(values);
    }

    /** Returns random numbers as the file has them, not as an input. */
    static HostTensor stored(long... shape) {
        INDArray values = reals(shape);
        return HostTensor.of(
                DataType.FLOAT,
                shape,
                values.castTo(DataType.DOUBLE).reshape(values.length()).toDoubleVector());
    }
}
