package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Choices with infinities and NaN in the branch that is not chosen, and in the chosen one: forward as ONNX Runtime, backward a
 * number, in SameDiff's own session and in both engines.
 */
class ChoiceTest {
    static final float INF = Float.POSITIVE_INFINITY;
    static final float LOWEST = -Float.MAX_VALUE;
    private static final float[] SPECIAL = {Float.NaN, INF, -INF, LOWEST, Float.MAX_VALUE, 0, 1.5f, -2};

    @TempDir
    Path folder;

    static HostTensor number(double value) {
        return HostTensor.of(DataType.FLOAT, new long[0], new double[] {value});
    }

    /** Every special number of the first axis with every one of the second. */
    private static INDArray rows() {
        return Nd4j.createFromArray(SPECIAL).reshape(SPECIAL.length, 1);
    }

    private static INDArray columns() {
        return Nd4j.createFromArray(SPECIAL).reshape(1, SPECIAL.length);
    }

    private static INDArray truths() {
        float[] values = new float[SPECIAL.length * SPECIAL.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i * 5 / 3) % 2;
        }
        return Nd4j.createFromArray(values)
                .reshape(SPECIAL.length, SPECIAL.length)
                .castTo(DataType.BOOL);
    }

    /** A model of inputs a, b and c of open sizes. */
    private static TinyModel open() {
        return new TinyModel(18)
                .input("a", DataType.FLOAT, -1, -2)
                .input("b", DataType.FLOAT, -3, -4)
                .input("c", DataType.BOOL, -5, -6)
                .initializer("zero", number(0))
                .initializer("one", number(1))
                .initializer("lowest", number(LOWEST))
                .initializer("minus", number(-INF))
                .initializer("plus", number(INF))
                .initializer("none", number(Double.NaN));
    }

    /** Minus infinity above the diagonal, as stored masks have it. */
    private static double[] infinities(int rows, int columns) {
        double[] values = new double[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % columns > i / columns ? -INF : 0;
        }
        return values;
    }

    static Stream<Arguments> choices() {
        Map<String, TinyModel> models = new LinkedHashMap<>();
        models.put("Where", open().node("Where", "c a b", "y"));
        models.put("Where of a number", open().node("Where", "c a zero", "y"));
        models.put("Where of minus infinity", open().node("Where", "c a minus", "y"));
        models.put("Where of NaN", open().node("Where", "c none a", "y"));
        models.put("Where of two numbers", open().node("Where", "c zero minus", "y"));
        models.put("Max", open().node("Max", "a b", "y"));
        models.put("Min", open().node("Min", "a b", "y"));
        models.put("Max with a number", open().node("Max", "a one", "y"));
        models.put("Max with minus infinity", open().node("Max", "minus a", "y"));
        models.put("Max with the lowest number", open().node("Max", "a lowest", "y"));
        models.put("Min with a number", open().node("Min", "one a", "y"));
        models.put("Max of three", open().node("Max", "a b zero", "y"));
        models.put("Max of one", open().node("Max", "a", "y"));
        models.put("Clip", open().node("Clip", "a zero one", "y"));
        models.put("Clip from below", open().node("Clip", "a lowest", "y"));
        models.put("Clip from minus infinity", open().node("Clip", "a minus one", "y"));
        models.put("Clip from above", open().node("Clip", "a - one", "y"));
        models.put("Clip without bounds", open().node("Clip", "a", "y"));
        models.put(
                "Clip by computed numbers",
                open().node("Cast", "c", "f", "to", 1)
                        .node("ReduceMax", "f", "least", "keepdims", 0)
                        .node("Where", "c a zero", "w")
                        .node("Clip", "w least", "y"));
        models.put(
                "masks that add up",
                open().node("Where", "c zero lowest", "m")
                        .node("Add", "m m", "twice")
                        .node("Where", "c a twice", "y"));
        models.put("ThresholdedRelu", open().node("ThresholdedRelu", "a", "y"));
        models.put("Shrink", open().node("Shrink", "a", "y", "bias", 0.5f, "lambd", 1f));
        models.put("Round", open().node("Round", "a", "y"));
        models.put("Relu", open().node("Relu", "a", "y"));
        models.put("Trilu", open().node("Trilu", "a", "y"));
        models.put("Trilu of an open matrix", open().node("Add", "a b", "s").node("Trilu", "s", "y", "upper", 0));
        models.put(
                "Trilu of what is filled with minus infinity",
                open().node("Shape", "c", "sizes")
                        .node(
                                "ConstantOfShape",
                                "sizes",
                                "filled",
                                "value",
                                number(-INF).reshaped(1))
                        .node("Trilu", "filled", "y"));
        models.put(
                "Where of what is filled with NaN",
                open().node("Shape", "c", "sizes")
                        .node(
                                "ConstantOfShape",
                                "sizes",
                                "filled",
                                "value",
                                number(Double.NaN).reshaped(1))
                        .node("Where", "c a filled", "y"));
        models.put(
                "Where of rows of a table of infinities",
                open().initializer("table", HostTensor.of(DataType.FLOAT, new long[] {9, 8}, infinities(9, 8)))
                        .initializer("first", HostTensor.of(DataType.LONG, new long[0], new long[] {0}))
                        .initializer("step", HostTensor.of(DataType.LONG, new long[0], new long[] {1}))
                        .node("Shape", "c", "sizes")
                        .node("Gather", "sizes first", "count")
                        .node("Range", "first count step", "places")
                        .node("Gather", "table places", "rows", "axis", 0)
                        .node("Where", "c a rows", "y"));
        models.put(
                "Where of the logarithm of a sum",
                open().initializer("axes", HostTensor.vector(1))
                        .node("Where", "c zero one", "m")
                        .node("Mul", "m zero", "zeros")
                        .node("ReduceLogSum", "zeros axes", "log")
                        .node("Where", "c one log", "y"));
        models.put("IsInf", open().node("Add", "a zero", "s").node("IsInf", "s", "y"));
        models.put("IsNaN", open().node("Sub", "a a", "s").node("IsNaN", "s", "y"));
        models.put("Equal", open().node("Where", "c a minus", "m").node("Equal", "m minus", "y"));
        models.put(
                "Softmax",
                open().node("Min", "a one", "k").node("Where", "c k minus", "m").node("Softmax", "m", "y"));
        models.put("LogSoftmax", open().node("Where", "c one minus", "m").node("LogSoftmax", "m", "y"));
        models.put(
                "ReduceMax",
                open().initializer("axes", HostTensor.vector(1))
                        .node("Where", "c one minus", "m")
                        .node("ReduceMax", "m axes", "y"));
        models.put(
                "ReduceLogSumExp",
                open().initializer("axes", HostTensor.vector(1))
                        .node("Where", "c one minus", "m")
                        .node("ReduceLogSumExp", "m axes", "y"));
        models.put(
                "ScatterElements",
                open().initializer("at", HostTensor.of(DataType.LONG, new long[] {2, 1}, new long[] {1, 3}))
                        .initializer("new", HostTensor.of(DataType.FLOAT, new long[] {2, 1}, new double[] {-INF, 3}))
                        .node("Add", "a b", "s")
                        .node("ScatterElements", "s at new", "y", "axis", 1));
        models.put(
                "ScatterElements max",
                open().initializer("at", HostTensor.of(DataType.LONG, new long[] {2, 1}, new long[] {1, 3}))
                        .initializer("new", HostTensor.of(DataType.FLOAT, new long[] {2, 1}, new double[] {-INF, 3}))
                        .node("Where", "c one minus", "s")
                        .node("ScatterElements", "s at new", "y", "axis", 1, "reduction", "max"));
        models.put(
                "ScatterND",
                open().initializer("at", HostTensor.of(DataType.LONG, new long[] {2, 1}, new long[] {1, 3}))
                        .node("Where", "c one minus", "s")
                        .initializer("rows", HostTensor.vector(2, 8))
                        .node("Expand", "minus rows", "new")
                        .node("ScatterND", "s at new", "y"));
        return models.entrySet().stream()
                .map(model -> Arguments.of(model.getKey(), model.getValue().output("y")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("choices")
    void results_are_those_of_onnx_runtime_with_infinities_and_nan_on_both_sides(String name, TinyModel model) {
        Path file = model.write(folder);
        Map<String, INDArray> inputs = Map.of("a", rows(), "b", columns(), "c", truths());
        INDArray expected;
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            expected = Objects.requireNonNull(runtime.run(inputs).get("y"));
        }
        ImportedModel imported = OnnxImporter.load(file);
        Map<String, INDArray> read = new LinkedHashMap<>(inputs);
        read.keySet().removeIf(input -> !imported.graph().hasVariable(input));
        EveryEngine.output(imported, read, "y").forEach((engine, actual) -> {
            assertThat(actual.shape()).as(name + " in " + engine).containsExactly(expected.shape());
            assertThat(texts(actual)).as(name + " in " + engine).isEqualTo(texts(expected));
        });
    }

    /** Seven digits; NaN and infinities by name, zeros without a sign. */
    static List<String> texts(INDArray array) {
        List<String> texts = new ArrayList<>();
        for (double value :
                array.castTo(DataType.DOUBLE).dup('c').reshape(array.length()).toDoubleVector()) {
            texts.add(String.format("%.5g", value == 0 ? 0 : value));
        }
        return texts;
    }

    /** As in PyTorch and in ONNX's reference; ONNX Runtime says it only if the first one is none. */
    @ParameterizedTest
    @ValueSource(strings = {"ReduceMax", "ReduceMin"})
    void the_largest_of_what_has_no_number_among_it_is_none(String operator) {
        Path file = new TinyModel(13)
                .input("a", DataType.FLOAT, -1, 3)
                .node("Neg", "a", "n")
                .node(operator, "n", "y", "axes", new long[] {1}, "keepdims", 0)
                .output("y")
                .write(folder);
        INDArray a = Nd4j.createFromArray(1f, Float.NaN, 2, Float.NaN, 1, 2, INF, 3, 3)
                .reshape(3, 3);
        EveryEngine.output(OnnxImporter.load(file), Map.of("a", a), "y")
                .forEach((engine, actual) -> assertThat(texts(actual))
                        .as(engine)
                        .containsExactly("NaN", "NaN", operator.equals("ReduceMax") ? "-3.0000" : "-Infinity"));
        INDArray numbers = Nd4j.createFromArray(1f, 4, 2, 5, 1, 2, 7, 3, 3).reshape(3, 3);
        EveryEngine.gradient(OnnxImporter.load(file), Map.of("a", numbers), "y", "a")
                .forEach((engine, gradient) ->
                        assertThat(texts(gradient)).as(engine).doesNotContain("NaN"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Where", "Max", "Min", "Clip", "Trilu"})
    void gradients_pass_what_is_not_chosen(String operator) {
        float[] unchosen = operator.equals("Max") ? new float[] {-INF, LOWEST} : new float[] {INF, Float.MAX_VALUE};
        TinyModel model = new TinyModel(18)
                .input("x", DataType.FLOAT, -1, 4)
                .input("c", DataType.BOOL, -1, 4)
                .initializer("one", number(1))
                .initializer("five", number(5));
        model = switch (operator) {
            case "Where" -> model.node("Where", "c x one", "y");
            case "Clip" -> model.node("Mul", "x one", "m").node("Clip", "m - five", "y");
            case "Trilu" -> model.node("Trilu", "x", "y", "upper", 0);
            default -> model.node(operator, "x " + (operator.equals("Max") ? "one" : "five"), "y");
        };
        float[] x = {2, unchosen[0], unchosen[1], unchosen[0], 3, 4, unchosen[0], unchosen[1]};
        if (operator.equals("Where")) {
            x[3] = Float.NaN;
        }
        boolean[] chosen = {true, false, false, false, true, true, false, false};
        INDArray mask = Nd4j.createFromArray(chosen).reshape(2, 4);
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        inputs.put("x", Nd4j.createFromArray(x).reshape(2, 4));
        if (operator.equals("Where")) {
            inputs.put("c", mask);
        }
        ImportedModel imported = OnnxImporter.load(model.output("y").write(folder));
        EveryEngine.gradient(imported, inputs, "y", "x")
                .forEach((engine, gradient) -> assertThat(gradient.reshape(8).toFloatVector())
                        .as(operator + " in " + engine)
                        .containsExactly(1, 0, 0, 0, 1, 1, 0, 0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Max", "Min", "Where", "Clip"})
    void whole_numbers_beyond_the_reach_of_doubles_stay_what_they_are(String operator) {
        long big = (1L << 53) + 1;
        TinyModel model = new TinyModel(13)
                .input("a", DataType.LONG, -1)
                .input("c", DataType.BOOL, -1)
                .initializer("big", HostTensor.of(DataType.LONG, new long[0], new long[] {big}))
                .initializer("more", HostTensor.of(DataType.LONG, new long[0], new long[] {big + 2}));
        model = switch (operator) {
            case "Where" -> model.node("Where", "c big a", "y");
            case "Clip" -> model.node("Clip", "a big more", "y");
            default -> model.node(operator, "a big", "y");
        };
        Path file = model.output("y").write(folder);
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        inputs.put("a", Nd4j.createFromArray(-big, big - 1, big, big + 1, big + 2, big + 3, Long.MAX_VALUE));
        if (operator.equals("Where")) {
            inputs.put("c", Nd4j.createFromArray(true, false, false, true, false, false, false));
        }
        Map<String, INDArray> all = new LinkedHashMap<>(inputs);
        all.putIfAbsent("c", Nd4j.createFromArray(new boolean[7]));
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            long[] expected = Objects.requireNonNull(runtime.run(all).get("y")).toLongVector();
            EveryEngine.output(OnnxImporter.load(file), inputs, "y")
                    .forEach((engine, actual) -> assertThat(actual.toLongVector())
                            .as(operator + " in " + engine)
                            .containsExactly(expected));
        }
    }

    @Test
    void a_saved_graph_chooses_and_is_differentiated_as_before(@TempDir Path other) {
        Path file = new TinyModel(18)
                .input("x", DataType.FLOAT, -1)
                .input("c", DataType.BOOL, -1)
                .initializer("zero", number(0))
                .node("Log", "x", "l")
                .node("Where", "c x l", "y")
                .output("y")
                .write(folder);
        ImportedModel model = OnnxImporter.load(file);
        INDArray x = Nd4j.createFromArray(-1f, 2f, 0f, 4f);
        Map<String, INDArray> inputs = Map.of("x", x, "c", Nd4j.createFromArray(true, false, true, true));
        OperatorCases.makeTrainable(model.graph(), "x", x);
        model.graph().setLossVariables(model.graph().getVariable("y").sum().name());
        java.io.File saved = other.resolve("graph.fb").toFile();
        model.graph().save(saved, false);
        SameDiff read = SameDiff.load(saved, false);
        assertThat(read.output(inputs, "y").get("y").toFloatVector()).containsExactly(-1, (float) Math.log(2), 0, 4);
        float[] gradient =
                read.calculateGradients(inputs, "x/variable").get("x/variable").toFloatVector();
        assertThat(Arrays.copyOf(gradient, 2)).containsExactly(1, 0.5f);
        assertThat(gradient[3]).isEqualTo(1);
    }
}
