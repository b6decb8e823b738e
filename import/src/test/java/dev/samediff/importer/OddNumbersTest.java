package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Valid graphs that no exporter writes often, on numbers that no test of an operator has: as ONNX Runtime, in every engine. */
class OddNumbersTest {
    private static final float INF = Float.POSITIVE_INFINITY;
    private static final float NAN = Float.NaN;

    @TempDir
    Path folder;

    /** A graph whose output is y. */
    private record Case(TinyModel model, Map<String, INDArray> inputs) {}

    private final Map<String, Case> cases = new LinkedHashMap<>();

    /** One node on inputs of open sizes, which are arrays, and tensors of the file. */
    private void node(String title, int opset, String operator, Object... arguments) {
        TinyModel model = new TinyModel(opset);
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        StringBuilder names = new StringBuilder();
        int count = 0;
        int symbol = 0;
        while (count < arguments.length && !(arguments[count] instanceof String)) {
            String name = "in" + count;
            names.append(count == 0 ? "" : " ").append(name);
            if (arguments[count] instanceof INDArray array) {
                long[] sizes = new long[array.rank()];
                for (int axis = 0; axis < sizes.length; axis++) {
                    sizes[axis] = -(++symbol);
                }
                model.input(name, array.dataType(), sizes);
                inputs.put(name, array);
            } else {
                model.initializer(name, (HostTensor) arguments[count]);
            }
            count++;
        }
        model.node(operator, names.toString(), "y", Arrays.copyOfRange(arguments, count, arguments.length))
                .output("y");
        cases.put(operator + ", " + title, new Case(model, inputs));
    }

    private static INDArray row(float... numbers) {
        return Nd4j.createFromArray(new float[][] {numbers});
    }

    private static INDArray table() {
        return OperatorCases.reals(4, 6);
    }

    private static HostTensor whole(long... numbers) {
        return HostTensor.vector(numbers);
    }

    private static HostTensor axis(long axis) {
        return HostTensor.of(DataType.LONG, new long[0], new long[] {axis});
    }

    private void sums() {
        for (int exclusive : new int[] {0, 1}) {
            for (int reverse : new int[] {0, 1}) {
                node(
                        "infinities, exclusive " + exclusive + ", reverse " + reverse,
                        14,
                        "CumSum",
                        Nd4j.createFromArray(new float[][] {{1, INF, 3, -INF}, {1, 2, NAN, 4}, {1, 2, 3, 4}}),
                        axis(1),
                        "exclusive",
                        exclusive,
                        "reverse",
                        reverse);
            }
        }
        INDArray thin = OperatorCases.reals(2, 1);
        HostTensor wide = OperatorCases.stored(3, 4);
        cases.put(
                "Einsum, an axis of one beside one of three",
                new Case(
                        new TinyModel(13)
                                .input("x", DataType.FLOAT, -1, 1)
                                .initializer("z", wide)
                                .node("Relu", "z", "r")
                                .node("Einsum", "x r", "y", "equation", "ij,jk->ik")
                                .output("y"),
                        Map.of("x", thin)));
    }

    private void slices() {
        long lowest = Long.MIN_VALUE;
        for (long step :
                new long[] {lowest, -(1L << 40), Integer.MIN_VALUE, -7, -6, Integer.MAX_VALUE, 1L << 40, 6, 7}) {
            boolean forward = step > 0;
            node(
                    "step " + step,
                    13,
                    "Slice",
                    table(),
                    whole(forward ? 1 : -1),
                    whole(forward ? Long.MAX_VALUE : lowest),
                    whole(1),
                    whole(step));
        }
        node("cuts beside pads", 13, "Pad", table(), whole(-3, 2, 2, -5));
        node("a bound below the other", 9, "Clip", row(-3, 0, 3), "min", -1f, "max", 1f);
    }

    private void places() {
        INDArray two = Nd4j.createFromArray(new long[][] {{0, 0, -3}, {1, 2, 1}});
        node(
                "one place twice",
                16,
                "ScatterElements",
                OperatorCases.reals(2, 3),
                two,
                OperatorCases.reals(2, 3),
                "axis",
                1);
        node(
                "one known place twice",
                16,
                "ScatterElements",
                OperatorCases.reals(3, 2),
                HostTensor.of(DataType.LONG, new long[] {3, 2}, new long[] {0, 1, 0, -2, 2, 0}),
                OperatorCases.reals(3, 2).mul(2));
        node(
                "one slice twice",
                16,
                "ScatterND",
                OperatorCases.reals(3, 2),
                HostTensor.of(DataType.LONG, new long[] {3, 1}, new long[] {0, 2, -3}),
                OperatorCases.reals(3, 2).mul(2));
        node(
                "one element twice",
                16,
                "ScatterND",
                OperatorCases.reals(3, 2),
                HostTensor.of(DataType.LONG, new long[] {3, 2}, new long[] {0, 1, 2, 0, 0, 1}),
                OperatorCases.reals(3).mul(2));
    }

    private void reductions() {
        INDArray rows = Nd4j.createFromArray(new float[][] {{-INF, -INF}, {1, INF}, {INF, INF}, {3, -1}, {0, 0}});
        for (String operator : new String[] {"ReduceMax", "ReduceMin"}) {
            node("rows of infinities", 13, operator, rows, "axes", new long[] {1});
            node("columns of infinities", 13, operator, rows.transpose().dup('c'), "axes", new long[] {0});
        }
        node("one axis twice", 13, "ReduceSum", table(), whole(0, -2));
        for (int norm : new int[] {1, 2}) {
            node("rows of zeros, p " + norm, 13, "LpNormalization", row(0, 0, 0), "axis", 1, "p", norm);
        }
    }

    private void define() {
        sums();
        reductions();
        slices();
        places();
    }

    @TestFactory
    Stream<DynamicTest> odd_numbers_give_what_onnx_runtime_gives() {
        define();
        return cases.entrySet().stream()
                .map(each -> DynamicTest.dynamicTest(each.getKey(), () -> check(each.getValue())));
    }

    private void check(Case each) {
        Path file = each.model().write(folder);
        INDArray expected;
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            expected = runtime.run(each.inputs()).get("y");
        }
        EveryEngine.output(OnnxImporter.load(file), each.inputs(), "y")
                .forEach((engine, actual) -> assertSame(engine, actual, expected));
    }

    private static void assertSame(String engine, INDArray actual, INDArray expected) {
        assertThat(actual.shape()).as(engine).containsExactly(expected.shape());
        double[] left = doubles(actual);
        double[] right = doubles(expected);
        for (int i = 0; i < left.length; i++) {
            boolean same = Double.compare(left[i], right[i]) == 0
                    || Math.abs(left[i] - right[i]) <= 1e-5 * Math.max(1, Math.abs(right[i]));
            assertThat(same)
                    .as(engine + ", element " + i + ": " + left[i] + " for " + right[i])
                    .isTrue();
        }
    }

    private static double[] doubles(INDArray array) {
        return array.castTo(DataType.DOUBLE).dup('c').reshape(array.length()).toDoubleVector();
    }

    /** ONNX Runtime's order of what is no number depends on where it stands; PyTorch's is the largest of all. */
    @TestFactory
    Stream<DynamicTest> what_is_no_number_is_larger_than_all_others_and_chosen_once() {
        return Stream.of(DataType.FLOAT, DataType.DOUBLE)
                .map(type -> DynamicTest.dynamicTest(type.toString(), () -> {
                    Path file = new TinyModel(13)
                            .input("x", type, -1, -2)
                            .initializer("k", whole(5))
                            .node("TopK", "x k", "v y", "axis", 1, "largest", 0)
                            .output("y")
                            .write(folder);
                    Map<String, INDArray> inputs =
                            Map.of("x", row(1, NAN, -INF, INF, 0).castTo(type));
                    EveryEngine.output(OnnxImporter.load(file), inputs, "y")
                            .forEach((engine, places) -> assertThat(
                                            places.dup('c').reshape(5).toLongVector())
                                    .as(engine)
                                    .satisfiesAnyOf(
                                            found -> assertThat(found).containsExactly(2, 4, 0, 3, 1),
                                            found -> assertThat(found).containsExactly(2, 4, 0, 1, 3)));
                }));
    }

    @TestFactory
    Stream<DynamicTest> infinities_of_doubles_are_chosen_in_order() {
        return Stream.of(0, 1)
                .map(largest -> DynamicTest.dynamicTest("largest " + largest, () -> {
                    TinyModel model = new TinyModel(13)
                            .input("x", DataType.DOUBLE, -1, -2)
                            .initializer("k", whole(6))
                            .node("TopK", "x k", "v y", "axis", 1, "largest", largest)
                            .output("y");
                    check(new Case(
                            model,
                            Map.of("x", row(1, -INF, INF, -INF, 1e30f, INF).castTo(DataType.DOUBLE))));
                }));
    }
}
