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
 * Every operator against ONNX Runtime, with unknown sizes, and the gradient of every differentiable one against
 * differences of ONNX Runtime's own results.
 */
class OperatorTest {
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

    private final List<Case> cases = new ArrayList<>();

    private static INDArray reals(long... shape) {
        int length = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (1.3 * Math.sin(1.8 * i + 0.6) + 0.03 * i);
        }
        return Nd4j.createFromArray(values).reshape(shape);
    }

    private static INDArray positive(long... shape) {
        return Nd4j.math().abs(reals(shape)).add(0.3);
    }

    private static INDArray wholes(long... shape) {
        int length = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        long[] values = new long[length];
        for (int i = 0; i < length; i++) {
            values[i] = (7L * i + 3) % 11 - 4;
        }
        return Nd4j.createFromArray(values).reshape(shape);
    }

    private static INDArray truths(long... shape) {
        return wholes(shape).gt(0);
    }

    private static HostTensor ints(long... values) {
        return HostTensor.vector(values);
    }

    private static HostTensor real(double value) {
        return HostTensor.of(DataType.FLOAT, new long[0], new double[] {value});
    }

    private static HostTensor whole(long value) {
        return HostTensor.of(DataType.LONG, new long[0], new long[] {value});
    }

    /** Inputs in order: INDArrays are graph inputs, HostTensors initializers, null is absent; a String starts attributes. */
    private void add(String title, int opset, String operator, int outputs, boolean gradient, Object... arguments) {
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

    private void smooth(String title, int opset, String operator, Object... arguments) {
        add(title, opset, operator, 1, true, arguments);
    }

    private void plain(String title, int opset, String operator, Object... arguments) {
        add(title, opset, operator, 1, false, arguments);
    }

    private void defineElementwise() {
        for (String operator : List.of("Add", "Sub", "Mul", "Div")) {
            smooth("same shape", 14, operator, reals(2, 3), positive(2, 3));
            smooth("row", 14, operator, reals(2, 3), positive(3));
            smooth("both broadcast", 14, operator, reals(4, 1, 3), positive(2, 1));
            smooth("number right", 14, operator, reals(2, 3), real(1.5));
            smooth("number left", 14, operator, real(1.5), positive(2, 3));
            smooth(
                    "stored matrix",
                    14,
                    operator,
                    reals(2, 3),
                    HostTensor.of(DataType.FLOAT, new long[] {1, 3}, new double[] {1, 2, 3}));
            plain("whole numbers", 14, operator, wholes(2, 3), whole(3));
        }
        plain(
                "whole numbers computed",
                14,
                "Div",
                wholes(2, 3),
                wholes(2, 3).mul(2).add(1));
        for (double power : new double[] {1, 2, 3, 0.5, -1, 1.7}) {
            smooth("" + power, 14, "Pow", positive(2, 3), real(power));
        }
        smooth("of whole exponent", 14, "Pow", reals(2, 3), whole(2));
        smooth("computed exponent", 14, "Pow", positive(2, 3), reals(3));
        plain("whole", 14, "Mod", wholes(2, 3), whole(3));
        smooth("two", 14, "Max", reals(2, 3), reals(3).mul(-1));
        smooth("two", 14, "Min", reals(2, 3), reals(3).mul(-1));
        smooth("three", 14, "Max", reals(2, 3), reals(3).mul(-1), real(0.2));
        plain("whole", 14, "Max", wholes(2, 3), wholes(3));
        plain("whole", 14, "Min", wholes(2, 3), whole(2));
        smooth("three", 14, "Sum", reals(2, 3), reals(3), real(0.2));
        smooth("inputs", 14, "Clip", reals(2, 3), real(-0.5), real(0.7));
        smooth("no upper", 14, "Clip", reals(2, 3), real(-0.5));
        smooth("attributes", 9, "Clip", reals(2, 3), "min", -0.5f, "max", 0.7f);
        plain("whole", 14, "Clip", wholes(2, 3), whole(0), whole(4));
        for (String operator :
                List.of("Neg", "Abs", "Exp", "Sin", "Cos", "Tanh", "Erf", "Sigmoid", "Relu", "Softplus")) {
            smooth("", 14, operator, reals(2, 3));
        }
        for (String operator : List.of("Sqrt", "Reciprocal", "Log")) {
            smooth("", 14, operator, positive(2, 3));
        }
        for (String operator : List.of("Floor", "Ceil", "Sign")) {
            plain("", 14, operator, reals(2, 3));
        }
        plain("whole", 14, "Neg", wholes(2, 3));
        plain("whole", 14, "Abs", wholes(2, 3));
        smooth("alpha", 14, "LeakyRelu", reals(2, 3), "alpha", 0.2f);
        smooth("", 14, "Elu", reals(2, 3));
        smooth("", 14, "com.microsoft:Gelu", reals(2, 3));
        smooth("", 14, "com.microsoft:FastGelu", reals(2, 3));
        smooth("bias", 14, "com.microsoft:FastGelu", reals(2, 3), reals(3));
        smooth("", 14, "Dropout", reals(2, 3));
    }

    private void defineLogic() {
        for (String operator : List.of("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual")) {
            plain("whole", 14, operator, wholes(2, 3), wholes(3));
            plain("whole number", 14, operator, wholes(2, 3), whole(2));
            plain("real", 14, operator, reals(2, 3), reals(3));
            plain("outer", 14, operator, wholes(4, 1), wholes(1, 3));
        }
        for (String operator : List.of("And", "Or", "Xor")) {
            plain("same", 14, operator, truths(2, 3), truths(3, 2).reshape(2, 3));
            plain("outer", 14, operator, truths(4, 1), truths(1, 3));
        }
        plain("", 14, "Not", truths(2, 3));
        plain("truths", 14, "Equal", truths(2, 3), truths(3));
        smooth("computed", 14, "Where", truths(2, 3), reals(2, 3), reals(3));
        smooth("broadcast condition", 14, "Where", truths(2, 1), reals(2, 3), reals(1, 3));
        smooth("fill", 14, "Where", truths(2, 3), real(-1e9), reals(2, 3));
        smooth("zero fill", 14, "Where", truths(2, 3), reals(2, 3), real(0));
        plain("two numbers", 14, "Where", truths(2, 3), real(0), real(-3.4028234663852886e38));
        plain("whole", 14, "Where", truths(2, 3), wholes(2, 3), whole(-1));
        smooth(
                "stored condition",
                14,
                "Where",
                HostTensor.of(DataType.BOOL, new long[] {1, 3}, new long[] {1, 0, 1}),
                reals(2, 3),
                reals(3));
        for (int to : new int[] {1, 6, 7, 9}) {
            plain("real to " + to, 14, "Cast", reals(2, 3), "to", to);
            plain("whole to " + to, 14, "Cast", wholes(2, 3), "to", to);
            plain("truth to " + to, 14, "Cast", truths(2, 3), "to", to);
        }
        plain("", 14, "IsNaN", reals(2, 3));
    }

    private void defineMatMul() {
        HostTensor matrix = HostTensor.of(DataType.FLOAT, new long[] {3, 2}, new double[] {1, -2, 3, 4, 0.5, 6});
        smooth("2x2", 14, "MatMul", reals(4, 3), reals(3, 2));
        smooth("stored", 14, "MatMul", reals(4, 3), matrix);
        smooth("3x2", 14, "MatMul", reals(2, 4, 3), matrix);
        smooth("4x2", 14, "MatMul", reals(2, 2, 4, 3), reals(3, 2));
        smooth("2x3", 14, "MatMul", reals(4, 3), reals(2, 3, 2));
        smooth("3x3", 14, "MatMul", reals(2, 4, 3), reals(2, 3, 2));
        smooth("4x4", 14, "MatMul", reals(2, 3, 4, 3), reals(2, 3, 3, 2));
        smooth("5x5", 14, "MatMul", reals(2, 1, 3, 4, 3), reals(2, 1, 3, 3, 2));
        smooth("stored left", 14, "MatMul", matrix, reals(2, 4));
        smooth("stored left batch", 14, "MatMul", matrix, reals(3, 2, 4));
        smooth("vector right", 14, "MatMul", reals(2, 4, 3), reals(3));
        smooth("vector left", 14, "MatMul", reals(3), reals(2, 3, 4));
        smooth("vectors", 14, "MatMul", reals(3), reals(3));
        smooth("", 14, "Gemm", reals(4, 3), matrix);
        smooth("bias", 14, "Gemm", reals(4, 3), matrix, reals(2));
        smooth(
                "flags",
                14,
                "Gemm",
                reals(3, 4),
                reals(2, 3),
                reals(1, 2),
                "transA",
                1,
                "transB",
                1,
                "alpha",
                0.5f,
                "beta",
                2f);
        smooth("alpha", 14, "Gemm", reals(4, 3), matrix, "alpha", 0.5f);
    }

    private void defineEinsum() {
        smooth("outer", 13, "Einsum", reals(3), reals(4), "equation", "i,j->ij");
        smooth("scores", 13, "Einsum", reals(2, 2, 4, 3), reals(2, 2, 5, 3), "equation", "bhid,bhjd->bhij");
        smooth("two free", 13, "Einsum", reals(2, 4, 3), reals(3, 2), "equation", "btd,de -> bte");
        smooth("transposed result", 13, "Einsum", reals(2, 4, 3), reals(2, 3, 5), "equation", "bij,bjk->kbi");
        smooth("element-wise", 13, "Einsum", reals(2, 3), reals(2, 3), "equation", "ij,ij->ij");
    }

    private void defineNormalisation() {
        smooth("last", 17, "LayerNormalization", reals(2, 4, 3), positive(3), reals(3), "epsilon", 1e-3f);
        smooth("no shift", 17, "LayerNormalization", reals(2, 3), positive(3));
        smooth("two axes", 17, "LayerNormalization", reals(2, 4, 3), positive(4, 3), reals(4, 3), "axis", 1);
        smooth("last", 14, "SimplifiedLayerNormalization", reals(2, 4, 3), positive(3));
        for (int opset : new int[] {11, 13}) {
            for (int axis : new int[] {-1, 1, 2}) {
                smooth(opset + " axis " + axis, opset, "Softmax", reals(2, 4, 3), "axis", axis);
                smooth(opset + " axis " + axis, opset, "LogSoftmax", reals(2, 4, 3), "axis", axis);
            }
            smooth(opset + " default", opset, "Softmax", reals(2, 4, 3));
        }
    }

    private void defineReductions() {
        for (String operator : List.of(
                "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "ReduceL2")) {
            smooth("last kept", 11, operator, reals(2, 4, 3), "axes", new long[] {-1}, "keepdims", 1);
            smooth("last dropped", 11, operator, reals(2, 4, 3), "axes", new long[] {-1}, "keepdims", 0);
            smooth("two axes", 11, operator, reals(2, 4, 3), "axes", new long[] {0, -1});
            smooth("middle", 11, operator, reals(2, 4, 3), "axes", new long[] {1});
            smooth("all", 11, operator, reals(2, 4, 3), "keepdims", 0);
            smooth("as input", operator.equals("ReduceSum") ? 13 : 18, operator, reals(2, 4, 3), ints(-2));
        }
        plain("whole", 13, "ReduceSum", wholes(2, 3), ints(1));
        plain("whole", 13, "ReduceMax", wholes(2, 3), "axes", new long[] {1});
        plain("", 13, "ArgMax", reals(2, 3), "axis", 1, "keepdims", 0);
        plain("kept", 13, "ArgMax", reals(2, 3), "axis", -2);
        plain("whole", 13, "ArgMax", wholes(2, 3), "axis", 1);
        plain("whole", 13, "CumSum", wholes(2, 4), whole(1));
        plain("whole reverse exclusive", 13, "CumSum", wholes(2, 4), whole(1), "reverse", 1, "exclusive", 1);
        plain("whole first axis", 13, "CumSum", wholes(2, 4), whole(0));
    }

    private void defineShapes() {
        smooth("known", 14, "Reshape", reals(2, 4, 3), ints(4, 6));
        smooth("open", 14, "Reshape", reals(2, 4, 3), ints(-1, 3));
        smooth("copied", 14, "Reshape", reals(2, 4, 3), ints(0, 0, 3, 1));
        smooth("copied and open", 14, "Reshape", reals(2, 4, 6), ints(0, -1, 2, 3));
        smooth("default", 13, "Flatten", reals(2, 4, 3));
        smooth("2", 13, "Flatten", reals(2, 4, 3), "axis", 2);
        smooth("0", 13, "Flatten", reals(2, 4, 3), "axis", 0);
        smooth("11", 11, "Unsqueeze", reals(2, 3), "axes", new long[] {1, -1});
        smooth("13", 13, "Unsqueeze", reals(2, 3), ints(0));
        smooth("13 three", 13, "Unsqueeze", reals(2, 3), ints(0, 2, 4));
        smooth("11", 11, "Squeeze", reals(2, 1, 3), "axes", new long[] {1});
        smooth("13", 13, "Squeeze", reals(1, 2, 1, 3), ints(0, -2));
        smooth("default", 13, "Transpose", reals(2, 4, 3));
        smooth("heads", 13, "Transpose", reals(2, 4, 3, 2), "perm", new long[] {0, 2, 3, 1});
        plain("truths", 13, "Transpose", truths(2, 3));
        smooth("rows", 13, "Expand", reals(1, 3), ints(4, 3));
        smooth("more axes", 13, "Expand", reals(3), ints(2, 4, 3));
        smooth("one way back", 13, "Expand", reals(2, 1, 3), ints(1, 4, 1));
        plain("whole", 13, "Expand", wholes(1, 3), ints(4, 3));
        plain("truths", 13, "Expand", truths(1, 3), ints(4, 3));
        smooth("", 13, "Tile", reals(2, 3), ints(2, 1));
        smooth("all", 13, "Tile", reals(2, 3), ints(2, 3));
        plain("", 13, "Shape", reals(2, 3));
        plain("part", 15, "Shape", reals(2, 4, 3), "start", 1, "end", -1);
        plain("", 13, "Size", reals(2, 3));
        smooth("", 13, "Identity", reals(2, 3));
    }

    private void defineJoining() {
        smooth("last", 13, "Concat", reals(2, 3), reals(2, 1), "axis", -1);
        smooth("three", 13, "Concat", reals(2, 3), reals(1, 3), reals(4, 3), "axis", 0);
        plain("whole", 13, "Concat", wholes(2, 3), wholes(2, 2), "axis", 1);
        plain("truths", 13, "Concat", truths(2, 3), truths(2, 2), "axis", 1);
        add("equal 11", 11, "Split", 3, true, reals(2, 6), "axis", 1);
        add("equal 13", 13, "Split", 3, true, reals(2, 6), ints(2, 2, 2), "axis", -1);
        add("unequal 11", 11, "Split", 2, true, reals(2, 6), "axis", 1, "split", new long[] {4, 2});
        add("unequal 13", 13, "Split", 3, true, reals(2, 6), ints(1, 3, 2), "axis", 1);
        add("first axis", 13, "Split", 2, true, reals(4, 3));
    }

    private void defineIndexing() {
        smooth("one", 13, "Gather", reals(2, 4, 3), whole(1), "axis", 1);
        smooth("last", 13, "Gather", reals(2, 4, 3), whole(-1), "axis", 1);
        smooth("before last", 13, "Gather", reals(2, 4, 3), whole(-2), "axis", 1);
        smooth("one kept", 13, "Gather", reals(2, 4, 3), ints(2), "axis", 1);
        smooth("run", 13, "Gather", reals(2, 4, 3), ints(1, 2), "axis", 1);
        smooth("scattered", 13, "Gather", reals(2, 4, 3), ints(3, 0, 3), "axis", 1);
        smooth("computed indices", 13, "Gather", reals(4, 3), Nd4j.createFromArray(new long[][] {{0, -1}, {3, 3}}));
        smooth(
                "computed indices, inner axis",
                13,
                "Gather",
                reals(2, 4, 3, 2),
                Nd4j.createFromArray(2L, -4L, 0L),
                "axis",
                2 - 1);
        smooth("computed index", 13, "Gather", reals(2, 4, 3), Nd4j.scalar(2L), "axis", 1);
        plain(
                "whole",
                13,
                "Gather",
                wholes(4, 3),
                wholes(2, 2).castTo(DataType.LONG).muli(0).addi(2));
        HostTensor table = HostTensor.of(DataType.FLOAT, new long[] {3, 2}, new double[] {1, -2, 3, 4, 0.5, 6});
        plain("table", 13, "Gather", table, Nd4j.createFromArray(new long[][] {{0, 2}, {1, 1}}));
        plain("table by int32", 13, "Gather", table, Nd4j.createFromArray(new int[][] {{0, 2}, {1, 1}}));
        smooth(
                "attributes",
                9,
                "Slice",
                reals(2, 4, 3),
                "starts",
                new long[] {1, 0},
                "ends",
                new long[] {3, 2},
                "axes",
                new long[] {1, 2});
        smooth("from", 13, "Slice", reals(2, 4, 3), ints(1), ints(Long.MAX_VALUE), ints(1));
        smooth("to", 13, "Slice", reals(2, 4, 3), ints(0), ints(2), ints(1));
        smooth("beyond", 13, "Slice", reals(2, 4, 3), ints(1), ints(100), ints(1));
        smooth("from behind", 13, "Slice", reals(2, 4, 3), ints(-2), ints(Long.MAX_VALUE), ints(1));
        smooth("to behind", 13, "Slice", reals(2, 4, 3), ints(0), ints(-1), ints(1));
        smooth("both behind", 13, "Slice", reals(2, 4, 3), ints(-3), ints(-1), ints(-2));
        smooth("steps", 13, "Slice", reals(2, 5, 3), ints(0), ints(Long.MAX_VALUE), ints(1), ints(2));
        smooth("odd", 13, "Slice", reals(2, 5, 3), ints(1), ints(Long.MAX_VALUE), ints(1), ints(2));
        smooth("without axes", 13, "Slice", reals(2, 4, 3), ints(0, 1), ints(1, 3));
        plain("whole", 13, "Slice", wholes(2, 4), ints(1), ints(3), ints(1));
        plain("truths", 13, "Slice", truths(2, 4), ints(1), ints(3), ints(1));
        plain("upper", 14, "Trilu", reals(3, 4));
        plain("lower", 14, "Trilu", reals(2, 3, 4), "upper", 0);
        plain("diagonal", 14, "Trilu", reals(4, 4), whole(1));
        plain("whole", 14, "Trilu", wholes(4, 4), whole(-1), "upper", 0);
    }

    @TestFactory
    Stream<DynamicTest> operators_match_onnx_runtime() {
        defineElementwise();
        defineLogic();
        defineMatMul();
        defineEinsum();
        defineNormalisation();
        defineReductions();
        defineShapes();
        defineJoining();
        defineIndexing();
        return cases.stream()
                .flatMap(one -> Stream.of(
                        DynamicTest.dynamicTest(one.title() + ", open sizes", () -> check(one, true)),
                        DynamicTest.dynamicTest(one.title() + ", known sizes", () -> check(one, false))));
    }

    private void check(Case one, boolean open) {
        Path file = write(one, open);
        try (Runtime runtime = new Runtime(file)) {
            compare(one, open, file, runtime);
        }
    }

    private void compare(Case one, boolean open, Path file, Runtime runtime) {
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
            for (int axis = 0; open && isOpen(one) && axis < dims.length; axis++) {
                dims[axis] = dims[axis] == 1 ? 1 : -(symbol++);
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

    /** Reshapes and splits with numbers in them make sense for one size only. */
    private static boolean isOpen(Case one) {
        return !one.operator().equals("Squeeze");
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
    private void checkGradient(Case one, Runtime runtime, SameDiff graph) {
        Map<String, INDArray> inputs = one.inputs();
        Map<String, INDArray> outputs = runtime.run(inputs);
        Map<String, INDArray> weights = new HashMap<>();
        SDVariable loss = null;
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
    private static void makeTrainable(SameDiff graph, String input, INDArray array) {
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
            Runtime runtime, Map<String, INDArray> inputs, String name, Map<String, INDArray> weights) {
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
                for (Map.Entry<String, INDArray> output : runtime.run(moved).entrySet()) {
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
}
