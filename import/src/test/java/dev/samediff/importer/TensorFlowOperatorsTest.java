package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensorflow.GraphWriter;
import dev.samediff.importer.tensorflow.GraphWriter.Weights;
import dev.samediff.importer.tensorflow.TensorFlowModels;
import dev.samediff.importer.tensorflow.TensorFlowRuntime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tensorflow.framework.DataType;

/**
 * Operators against TensorFlow, with unknown and with known sizes, and the gradient of those that have one against
 * differences of TensorFlow's results.
 */
class TensorFlowOperatorsTest {
    private static final DataType FLOAT = DataType.DT_FLOAT;
    private static final DataType INT = DataType.DT_INT32;
    private static final double STEP = 1e-2;

    @TempDir
    Path folder;

    /** Writes nodes that read "x" and write "y". */
    private record Case(String title, INDArray x, boolean smooth, BiConsumer<GraphWriter, String> form) {}

    @BeforeAll
    static void tensorflow() {
        TensorFlowRuntime.require();
    }

    private static INDArray reals(long... shape) {
        INDArray values = TensorFlowModels.factors(shape);
        return values.mul(1.6).addi(0.1);
    }

    private static INDArray wholes(long... shape) {
        INDArray values = Nd4j.create(org.nd4j.linalg.api.buffer.DataType.INT, shape);
        for (long i = 0; i < values.length(); i++) {
            values.putScalar(i, (int) ((7 * i + 3) % 11 - 4));
        }
        return values;
    }

    private static Case real(String title, INDArray x, BiConsumer<GraphWriter, String> form) {
        return new Case(title, x, true, form);
    }

    private static Case whole(String title, INDArray x, BiConsumer<GraphWriter, String> form) {
        return new Case(title, x, false, form);
    }

    private static Case unary(String operator, INDArray x, boolean smooth) {
        return new Case(operator, x, smooth, (w, in) -> w.op(operator, "y", in));
    }

    private static Case slice(
            String title,
            int[] begin,
            int[] end,
            int[] strides,
            int beginMask,
            int endMask,
            int ellipsis,
            int created,
            int shrink) {
        return real(
                "StridedSlice " + title,
                reals(4, 5, 6),
                (w, x) -> w.node(
                        "StridedSlice",
                        "y",
                        List.of(x, w.ints(begin), w.ints(end), w.ints(strides)),
                        "T",
                        FLOAT,
                        "Index",
                        INT,
                        "begin_mask",
                        beginMask,
                        "end_mask",
                        endMask,
                        "ellipsis_mask",
                        ellipsis,
                        "new_axis_mask",
                        created,
                        "shrink_axis_mask",
                        shrink));
    }

    private static int[] ints(int... values) {
        return values;
    }

    private static Case reduce(String operator, boolean keep, boolean smooth, int... axes) {
        return new Case(
                operator + " " + keep + " " + java.util.Arrays.toString(axes),
                reals(2, 3, 4),
                smooth,
                (w, x) -> w.node(
                        operator,
                        "y",
                        List.of(x, axes.length == 1 ? w.number(axes[0]) : w.ints(axes)),
                        "T",
                        FLOAT,
                        "Tidx",
                        INT,
                        "keep_dims",
                        keep));
    }

    private static Case image(String operator, String padding, int stride, long[] filter, long... shape) {
        return real(
                operator + " " + padding + " " + stride + " of " + shape[1],
                reals(shape),
                (w, x) -> w.node(
                        operator,
                        "y",
                        List.of(x, w.weight("layer/kernel", reals(filter))),
                        "T",
                        FLOAT,
                        "strides",
                        new long[] {1, stride, stride, 1},
                        "padding",
                        padding));
    }

    private static Case pool(String operator, String padding) {
        return new Case(
                operator + " " + padding,
                reals(2, 5, 6, 3),
                operator.equals("AvgPool"),
                (w, x) -> w.node(
                        operator,
                        "y",
                        List.of(x),
                        "T",
                        FLOAT,
                        "ksize",
                        new long[] {1, 2, 3, 1},
                        "strides",
                        new long[] {1, 2, 2, 1},
                        "padding",
                        padding));
    }

    private static Case cumsum(int axis, boolean exclusive, boolean reverse) {
        return real(
                "Cumsum " + axis + exclusive + reverse,
                reals(2, 3, 4),
                (w, x) -> w.node(
                        "Cumsum",
                        "y",
                        List.of(x, w.number(axis)),
                        "T",
                        FLOAT,
                        "Tidx",
                        INT,
                        "exclusive",
                        exclusive,
                        "reverse",
                        reverse));
    }

    private static Case gather(String title, int axis, int batch, INDArray data, INDArray indices) {
        return new Case(
                "GatherV2 " + title,
                data,
                true,
                (w, x) -> w.node(
                        "GatherV2",
                        "y",
                        List.of(x, w.constant("indices", indices), w.number(axis)),
                        "Tparams",
                        FLOAT,
                        "Tindices",
                        INT,
                        "Taxis",
                        INT,
                        "batch_dims",
                        batch));
    }

    private static Case band(int lower, int upper) {
        return real(
                "MatrixBandPart " + lower + " " + upper,
                reals(2, 4, 5),
                (w, x) -> w.node(
                        "MatrixBandPart",
                        "y",
                        List.of(x, w.number(lower), w.number(upper)),
                        "T",
                        FLOAT,
                        "Tindex",
                        INT));
    }

    private static Stream<Case> slices() {
        return Stream.of(
                slice("begin and end", ints(1, 0, 2), ints(3, 4, 6), ints(1, 2, 3), 0, 0, 0, 0, 0),
                slice("masks", ints(1, 1, 1), ints(2, 3, 3), ints(1, 1, 1), 1, 4, 0, 0, 0),
                slice("negative bounds", ints(-3, -4), ints(-1, -1), ints(1, 1), 0, 0, 0, 0, 0),
                slice("index first", ints(2), ints(3), ints(1), 0, 0, 0, 0, 1),
                slice("last element", ints(0, -1), ints(0, 0), ints(1, 1), 1, 1, 0, 0, 2),
                slice("ellipsis and index", ints(0, -1), ints(0, 0), ints(1, 1), 0, 0, 1, 0, 2),
                slice("ellipsis between", ints(1, 0, 1), ints(3, 0, 4), ints(1, 1, 1), 0, 0, 2, 0, 0),
                slice("new axes in front", ints(0, 0), ints(0, 0), ints(1, 1), 2, 2, 0, 1, 0),
                slice("new axis behind an ellipsis", ints(0, 0), ints(0, 0), ints(1, 1), 0, 0, 1, 2, 0),
                slice("new axis, index, range", ints(0, 1, 1), ints(0, 0, 4), ints(1, 1, 1), 0, 0, 0, 1, 2),
                slice("mask of BERT", ints(0, 0, 0, 0), ints(0, 0, 0, 0), ints(1, 1, 1, 1), 9, 9, 0, 6, 0),
                slice("backwards", ints(0, 0, 0), ints(0, 0, 0), ints(1, -1, 1), 7, 7, 0, 0, 0),
                slice("end beyond the axis", ints(1, 2), ints(99, 99), ints(1, 1), 0, 0, 0, 0, 0));
    }

    private static Stream<Case> elements() {
        INDArray positive = Nd4j.math().abs(reals(3, 4)).add(0.4);
        return Stream.of(
                unary("Softmax", reals(2, 3, 4), true),
                unary("LogSoftmax", reals(3, 4), true),
                unary("Rsqrt", positive, true),
                unary("Log1p", positive, true),
                unary("Expm1", reals(3, 4), true),
                unary("Erfc", reals(3, 4), true),
                unary("Square", reals(3, 4), true),
                unary("Relu6", reals(3, 4).mul(5), false),
                unary("Selu", reals(3, 4), true),
                unary("Elu", reals(3, 4), true),
                unary("Softplus", reals(3, 4), true),
                unary("Rint", reals(3, 4).mul(3), false),
                unary("ZerosLike", reals(3, 4), false),
                real(
                        "LeakyRelu",
                        reals(3, 4),
                        (w, x) -> w.node("LeakyRelu", "y", List.of(x), "T", FLOAT, "alpha", 0.3f)),
                real("SquaredDifference", reals(3, 4), (w, x) -> w.op("SquaredDifference", "y", x, w.number(0.3))),
                whole("FloorDiv of floats", reals(3, 4), (w, x) -> w.op("FloorDiv", "y", x, w.number(-0.3))),
                whole("FloorMod of floats", reals(3, 4), (w, x) -> w.op("FloorMod", "y", x, w.number(-0.3))),
                whole("Div", wholes(3, 4), (w, x) -> w.whole("Div", "y", x, w.number(-3))),
                whole("TruncateMod", wholes(3, 4), (w, x) -> w.whole("TruncateMod", "y", x, w.number(-3))),
                whole("FloorDiv", wholes(3, 4), (w, x) -> w.whole("FloorDiv", "y", x, w.number(-3))),
                whole("FloorMod", wholes(3, 4), (w, x) -> w.whole("FloorMod", "y", x, w.number(-3))),
                whole("Minimum", wholes(3, 4), (w, x) -> w.whole("Minimum", "y", x, w.number(1))),
                real("AddN", reals(3, 4), (w, x) -> w.list("AddN", "y", FLOAT, List.of(x, x, x))),
                real(
                        "ClipByValue",
                        reals(3, 4).mul(0.9),
                        (w, x) -> w.op("ClipByValue", "y", x, w.number(-9.0), w.number(9.0))),
                real(
                        "BiasAdd NCHW",
                        reals(2, 3, 4, 5),
                        (w, x) -> w.node(
                                "BiasAdd",
                                "y",
                                List.of(x, w.constant("bias", reals(3))),
                                "T",
                                FLOAT,
                                "data_format",
                                "NCHW")),
                real("Select by rows", reals(3, 4), (w, x) -> {
                    w.constant("chosen", wholes(3).gt(0));
                    w.op("Neg", "minus", x);
                    w.op("Select", "y", "chosen", x, "minus");
                }),
                real("SelectV2", reals(3, 4), (w, x) -> {
                    w.constant("chosen", wholes(4).gt(0));
                    w.op("SelectV2", "y", "chosen", x, w.number(2.0));
                }),
                whole("NotEqual, All", wholes(3, 4), (w, x) -> {
                    w.whole("NotEqual", "other", x, w.number(3));
                    w.node("All", "y", List.of("other", w.ints(1)), "Tidx", INT, "keep_dims", false);
                }),
                whole("Less, LogicalNot, Any", wholes(3, 4), (w, x) -> {
                    w.whole("Less", "less", x, w.number(0));
                    w.node("LogicalNot", "not", List.of("less"));
                    w.node("Any", "y", List.of("not", w.number(-1)), "Tidx", INT, "keep_dims", true);
                }));
    }

    private static Stream<Case> layout() {
        return Stream.of(
                reduce("Mean", true, true, -1),
                reduce("Sum", false, true, 0, 2),
                reduce("Max", true, false, 1),
                reduce("Min", false, false, -2),
                reduce("Prod", false, true, 2),
                reduce("Sum", false, true),
                cumsum(0, false, false),
                cumsum(1, true, false),
                cumsum(-1, false, true),
                gather("rows", 0, 0, reals(4, 3), wholes(2, 3).gt(0).castTo(org.nd4j.linalg.api.buffer.DataType.INT)),
                gather("last axis", -1, 0, reals(2, 3, 4), Nd4j.createFromArray(3, 0, 2)),
                gather("in batches", 1, 1, reals(2, 4, 3), Nd4j.createFromArray(new int[][] {{3, 0}, {1, 1}})),
                real(
                        "GatherNd",
                        reals(3, 4),
                        (w, x) -> w.node(
                                "GatherNd",
                                "y",
                                List.of(x, w.constant("at", Nd4j.createFromArray(new int[][] {{2, 1}, {0, 3}}))),
                                "Tparams",
                                FLOAT,
                                "Tindices",
                                INT)),
                whole(
                        "OneHot",
                        wholes(2, 3),
                        (w, x) -> w.node(
                                "OneHot",
                                "y",
                                List.of(x, w.number(5), w.number(2.0), w.number(-1.0)),
                                "T",
                                FLOAT,
                                "TI",
                                INT,
                                "axis",
                                -1)),
                whole(
                        "OneHot in front",
                        wholes(2, 3),
                        (w, x) -> w.node(
                                "OneHot",
                                "y",
                                List.of(x, w.number(5), w.number(1.0), w.number(0.0)),
                                "T",
                                FLOAT,
                                "TI",
                                INT,
                                "axis",
                                0)),
                whole("TopKV2", reals(2, 5), (w, x) -> {
                    w.node("TopKV2", "top", List.of(x, w.number(3)), "T", FLOAT);
                    w.whole("Identity", "y", "top:1");
                }),
                whole(
                        "ArgMax",
                        reals(2, 5),
                        (w, x) -> w.node(
                                "ArgMax", "y", List.of(x, w.number(1)), "T", FLOAT, "Tidx", INT, "output_type", INT)),
                band(-1, 0),
                band(0, -1),
                band(1, 2),
                real(
                        "Pad",
                        reals(2, 3),
                        (w, x) ->
                                w.op("Pad", "y", x, w.constant("pads", Nd4j.createFromArray(new int[][] {{1, 0}, {2, 3}
                                })))),
                real("Tile", reals(2, 3), (w, x) -> w.op("Tile", "y", x, w.ints(2, 3))),
                real("Transpose", reals(2, 3, 4), (w, x) -> w.op("Transpose", "y", x, w.ints(2, 0, 1))),
                real("Transpose by an order computed from the rank", reals(2, 3, 4), (w, x) -> {
                    w.node("Rank", "rank", List.of(x), "T", FLOAT);
                    w.node("Range", "range", List.of(w.number(0), "rank", w.number(1)), "Tidx", INT);
                    w.whole("Sub", "last", "rank", w.number(1));
                    w.whole("Sub", "order", "last", "range");
                    w.op("Transpose", "y", x, "order");
                }),
                real("ConcatV2 along an axis computed from the rank", reals(2, 3, 4), (w, x) -> {
                    w.node("Rank", "rank", List.of(x), "T", FLOAT);
                    w.whole("Sub", "last", "rank", w.number(1));
                    w.list("ConcatV2", "y", FLOAT, List.of(x, x, "last"), "Tidx", INT);
                }),
                whole("ArgMax along an axis computed from the rank", reals(2, 5), (w, x) -> {
                    w.node("Rank", "rank", List.of(x), "T", FLOAT);
                    w.whole("Sub", "last", "rank", w.number(1));
                    w.node(
                            "ArgMax", "y", List.of(x, "last"), "T", FLOAT, "Tidx", INT, "output_type", INT);
                }),
                real("Unpack, Pack", reals(2, 3, 4), (w, x) -> {
                    w.node("Unpack", "parts", List.of(x), "T", FLOAT, "num", 3, "axis", 1);
                    w.list("Pack", "y", FLOAT, List.of("parts:2", "parts", "parts:1"), "axis", -1);
                }),
                real("SplitV with a rest", reals(2, 7), (w, x) -> {
                    w.node(
                            "SplitV",
                            "parts",
                            List.of(x, w.ints(2, -1, 1), w.number(1)),
                            "T",
                            FLOAT,
                            "Tlen",
                            INT,
                            "num_split",
                            3);
                    w.op("Mul", "y", "parts:1", "parts:2");
                }),
                real(
                        "Slice to the end",
                        reals(4, 5),
                        (w, x) -> w.node(
                                "Slice", "y", List.of(x, w.ints(1, 2), w.ints(2, -1)), "T", FLOAT, "Index", INT)),
                whole("Shape, Size, Rank", reals(4, 5), (w, x) -> {
                    w.node("Size", "size", List.of(x), "T", FLOAT, "out_type", INT);
                    w.node("Rank", "rank", List.of(x), "T", FLOAT);
                    w.node("Shape", "shape", List.of(x), "T", FLOAT, "out_type", INT);
                    w.whole("AddV2", "sum", "size", "rank");
                    w.whole("AddV2", "y", "shape", "sum");
                }));
    }

    private static Stream<Case> products() {
        return Stream.of(
                real(
                        "BatchMatMulV2 adjoint",
                        reals(2, 4, 3),
                        (w, x) -> w.node(
                                "BatchMatMulV2",
                                "y",
                                List.of(x, w.constant("b", reals(2, 5, 4))),
                                "T",
                                FLOAT,
                                "adj_x",
                                true,
                                "adj_y",
                                true)),
                real(
                        "BatchMatMulV2 by a matrix",
                        reals(2, 4, 3),
                        (w, x) -> w.node(
                                "BatchMatMulV2",
                                "y",
                                List.of(x, w.weight("layer/kernel", reals(5, 3))),
                                "T",
                                FLOAT,
                                "adj_y",
                                true)),
                real(
                        "MatMul transposed",
                        reals(4, 3),
                        (w, x) -> w.node(
                                "MatMul",
                                "y",
                                List.of(x, w.weight("layer/kernel", reals(5, 4))),
                                "T",
                                FLOAT,
                                "transpose_a",
                                true,
                                "transpose_b",
                                true)),
                real(
                        "Einsum with a weight of three axes",
                        reals(2, 3, 4),
                        (w, x) -> w.list(
                                "Einsum",
                                "y",
                                FLOAT,
                                List.of(x, w.weight("layer/kernel", reals(4, 2, 3))),
                                "equation",
                                "abc,cde->abde")),
                image("Conv2D", "SAME", 1, new long[] {3, 3, 2, 4}, 2, 5, 6, 2),
                image("Conv2D", "SAME", 2, new long[] {3, 2, 2, 4}, 2, 5, 6, 2),
                image("Conv2D", "VALID", 2, new long[] {2, 3, 2, 4}, 2, 6, 7, 2),
                image("DepthwiseConv2dNative", "SAME", 1, new long[] {3, 3, 2, 2}, 2, 4, 5, 2),
                pool("AvgPool", "SAME"),
                pool("AvgPool", "VALID"),
                pool("MaxPool", "SAME"),
                pool("MaxPool", "VALID"),
                real(
                        "FusedBatchNormV3",
                        reals(2, 3, 4, 2),
                        (w, x) -> w.node(
                                "FusedBatchNormV3",
                                "y",
                                List.of(
                                        x,
                                        w.constant("scale", reals(2)),
                                        w.constant("offset", reals(2).add(1)),
                                        w.constant("mean", reals(2).mul(0.5)),
                                        w.constant(
                                                "variance",
                                                Nd4j.math().abs(reals(2)).add(0.5))),
                                "T",
                                FLOAT,
                                "U",
                                FLOAT,
                                "is_training",
                                false,
                                "epsilon",
                                1e-3f)));
    }

    @TestFactory
    Stream<DynamicTest> operators_compute_what_tensorflow_computes() {
        return Stream.of(slices(), elements(), layout(), products())
                .flatMap(cases -> cases)
                .flatMap(each -> Stream.of(
                        DynamicTest.dynamicTest(each.title() + ", unknown sizes", () -> check(each, false)),
                        DynamicTest.dynamicTest(each.title() + ", known sizes", () -> check(each, true))));
    }

    private void check(Case given, boolean known) {
        long[] sizes = given.x().shape().clone();
        boolean image = sizes.length == 4;
        for (int axis = 0; axis < sizes.length && !known; axis++) {
            sizes[axis] = image && axis > 0 ? sizes[axis] : -1;
        }
        GraphWriter writer = new GraphWriter(Weights.FROZEN);
        DataType type = given.x().dataType() == org.nd4j.linalg.api.buffer.DataType.INT ? INT : FLOAT;
        given.form().accept(writer, writer.placeholder("x", type, sizes));
        Map<String, INDArray> inputs = Map.of("x", given.x());
        INDArray expected = TensorFlowRuntime.run(writer.graph(), inputs, "y").get("y");
        ImportedModel model = TensorFlowImporter.load(
                write(writer), TensorFlowOptions.defaults().withOutputs("y"));
        INDArray actual = model.graph().output(inputs, "y").get("y");
        TensorFlowImporterTest.assertClose(given.title(), actual, expected, 1e-4);
        assertThat(actual.dataType()).as(given.title()).isEqualTo(expected.dataType());
        if (given.smooth()) {
            checkGradient(given, writer, model.graph(), expected);
        }
    }

    private static void checkGradient(Case given, GraphWriter writer, SameDiff graph, INDArray expected) {
        INDArray factors = TensorFlowModels.factors(expected.shape());
        SDVariable loss =
                graph.getVariable("y").mul(graph.constant("factors", factors)).sum();
        OperatorCases.makeTrainable(graph, "x", given.x());
        graph.setLossVariables(loss.name());
        INDArray gradient =
                graph.calculateGradients(Map.of("x", given.x()), "x/variable").get("x/variable");
        assertThat(gradient.shape()).as(given.title()).containsExactly(given.x().shape());
        INDArray flat = gradient.dup('c').reshape(gradient.length());
        for (long i = 0; i < flat.length(); i += Math.max(1, flat.length() / 7)) {
            double slope = (sum(given, writer, factors, i, STEP) - sum(given, writer, factors, i, -STEP)) / (2 * STEP);
            assertThat(flat.getDouble(i))
                    .as("%s, gradient at %s", given.title(), i)
                    .isCloseTo(slope, Offset.offset(5e-3 + 1e-2 * Math.abs(slope)));
        }
    }

    private static double sum(Case given, GraphWriter writer, INDArray factors, long index, double step) {
        INDArray moved = given.x().dup('c');
        INDArray flat = moved.reshape(moved.length());
        flat.putScalar(index, flat.getDouble(index) + step);
        return TensorFlowRuntime.run(writer.graph(), Map.of("x", moved), "y")
                .get("y")
                .castTo(org.nd4j.linalg.api.buffer.DataType.DOUBLE)
                .mul(factors)
                .sumNumber()
                .doubleValue();
    }

    private Path write(GraphWriter writer) {
        try {
            return Files.write(folder.resolve("operator.pb"), writer.graph().toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
