package dev.samediff.adapters.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.EveryEngine;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.LongUnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * ND4J's ops use places unchecked: id V on axis 1 ended the process, -1 read what lies before the table, scatters wrote there.
 */
class InvalidIdsTest {
    private static final int SIZE = 5;

    /**
     * An op that reads or writes at places, of which there are five.
     *
     * @param fromEnd whether places below zero count from the end
     * @param build makes its result of the places
     */
    private record Use(String name, boolean fromEnd, BiFunction<SameDiff, SDVariable, SDVariable> build) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static SDVariable table(SameDiff graph, DataType type, long... shape) {
        long length = Nd4j.create(shape).length();
        return graph.constant("table", Nd4j.arange(length).reshape(shape).castTo(type));
    }

    private static Use use(String name, boolean fromEnd, BiFunction<SameDiff, SDVariable, SDVariable> build) {
        return new Use(name, fromEnd, build);
    }

    private static Use gather(String name, DataType type, int axis, long... shape) {
        return use("gather " + name, true, (graph, ids) -> graph.gather(table(graph, type, shape), ids, axis));
    }

    private static SDVariable scatter(SameDiff graph, SDVariable ids, String kind) {
        SDVariable table = table(graph, DataType.FLOAT, SIZE, 2);
        SDVariable updates =
                graph.constant("updates", Nd4j.ones(DataType.FLOAT, 3, 2).muli(7));
        return switch (kind) {
            case "add" -> graph.scatterAdd(table, ids, updates);
            case "sub" -> graph.scatterSub(table, ids, updates);
            case "mul" -> graph.scatterMul(table, ids, updates);
            case "div" -> graph.scatterDiv(table, ids, updates);
            case "max" -> graph.scatterMax(table, ids, updates);
            case "min" -> graph.scatterMin(table, ids, updates);
            default -> custom(graph, "scatter_" + kind, table, ids, updates);
        };
    }

    private static SDVariable custom(SameDiff graph, String opName, SDVariable... inputs) {
        Named.made = opName;
        Named op = new Named(graph, inputs);
        if (opName.equals("embedding_lookup")) {
            op.addIArgument(0);
        }
        return op.outputVariables()[0];
    }

    /** An op of ND4J that SameDiff has no class for. */
    public static final class Named extends DynamicCustomOp {
        /** What the next one is called: the constructor of the superclass asks. */
        private static String made = "";

        private @Nullable String opName;

        Named(SameDiff graph, SDVariable... inputs) {
            super(null, graph, inputs);
        }

        @Override
        public String opName() {
            if (opName == null) {
                opName = made;
            }
            return opName;
        }

        @Override
        public int getNumOutputs() {
            return 1;
        }

        @Override
        public List<DataType> calculateOutputDataTypes(List<DataType> types) {
            return List.of(DataType.FLOAT);
        }
    }

    static Stream<Use> uses() {
        Stream<Use> gathers = Stream.of(
                gather("rows of floats", DataType.FLOAT, 0, SIZE, 2),
                gather("rows of doubles", DataType.DOUBLE, 0, SIZE, 2),
                gather("rows of whole numbers", DataType.LONG, 0, SIZE, 2),
                gather("columns of floats", DataType.FLOAT, 1, 3, SIZE),
                gather("columns of whole numbers", DataType.INT, 1, 3, SIZE),
                gather("a middle axis", DataType.FLOAT, 1, 2, SIZE, 3),
                gather("blocks", DataType.FLOAT, 0, SIZE, 2, 3),
                gather("the last axis", DataType.FLOAT, 2, 2, 3, SIZE),
                gather("the last axis by its number from the end", DataType.FLOAT, -1, 3, SIZE),
                gather("a vector", DataType.FLOAT, 0, SIZE),
                use(
                        "gather of a computed table",
                        true,
                        (graph, ids) -> graph.gather(
                                graph.math.tanh(
                                        table(graph, DataType.FLOAT, SIZE, 2).mul(graph.getVariable("one"))),
                                ids,
                                0)),
                use(
                        "gather by ids of another type",
                        true,
                        (graph, ids) ->
                                graph.gather(table(graph, DataType.FLOAT, SIZE, 2), ids.castTo(DataType.INT), 0)),
                use(
                        "gather by computed ids",
                        true,
                        (graph, ids) -> graph.gather(
                                table(graph, DataType.FLOAT, SIZE, 2),
                                ids.mul(1).add(0),
                                0)),
                use(
                        "gather by ids of a matrix",
                        true,
                        (graph, ids) ->
                                graph.gather(table(graph, DataType.FLOAT, SIZE, 2), graph.reshape(ids, 3, 1), 0)),
                use(
                        "gather of columns by computed ids",
                        true,
                        (graph, ids) -> graph.gather(
                                table(graph, DataType.FLOAT, 2, SIZE),
                                ids.mul(1).add(0),
                                1)),
                use(
                        "gather_nd",
                        true,
                        (graph, ids) ->
                                graph.gatherNd(table(graph, DataType.FLOAT, SIZE, 2), graph.expandDims(ids, 1))),
                use(
                        "gather_nd of whole coordinates",
                        true,
                        (graph, ids) -> graph.gatherNd(
                                table(graph, DataType.FLOAT, 2, SIZE), graph.stack(1, graph.zerosLike(ids), ids))));
        Stream<Use> scatters = Stream.of("add", "sub", "mul", "div", "max", "min", "upd")
                .map(kind -> use("scatter_" + kind, true, (graph, ids) -> scatter(graph, ids, kind)));
        Stream<Use> coordinates = Stream.of("add", "sub", "update")
                .map(kind -> use(
                        "scatter_nd_" + kind,
                        true,
                        (graph, ids) -> custom(
                                graph,
                                "scatter_nd_" + kind,
                                table(graph, DataType.FLOAT, SIZE, 2),
                                graph.expandDims(ids, 1),
                                graph.constant("updates", Nd4j.ones(DataType.FLOAT, 3, 2)))));
        Stream<Use> segments = Stream.of("sum", "mean", "max", "min", "prod", "sqrt_n")
                .map(kind -> use(
                        "unsorted_segment_" + kind,
                        false,
                        (graph, ids) -> custom(
                                graph,
                                "unsorted_segment_" + kind,
                                graph.constant("data", Nd4j.ones(DataType.FLOAT, 3, 2)),
                                ids.castTo(DataType.INT),
                                graph.constant("count", Nd4j.scalar(DataType.INT, SIZE)))));
        Stream<Use> others = Stream.of(
                use(
                        "embedding_lookup",
                        true,
                        (graph, ids) -> custom(graph, "embedding_lookup", table(graph, DataType.FLOAT, SIZE, 2), ids)),
                use(
                        "sparse softmax cross entropy",
                        false,
                        (graph, ids) -> graph.loss.sparseSoftmaxCrossEntropy(
                                table(graph, DataType.FLOAT, 3, SIZE), ids.castTo(DataType.INT))));
        return Stream.of(gathers, scatters, coordinates, segments, others).flatMap(stream -> stream);
    }

    static Stream<Arguments> everywhere() {
        return uses().flatMap(use -> EveryEngine.all().map(engine -> Arguments.of(use, engine)));
    }

    private static SameDiff graph(Use use, DataType type) {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("ids", type, -1);
        graph.placeHolder("one", DataType.FLOAT, 1);
        use.build().apply(graph, ids).castTo(DataType.FLOAT).add(0).rename("y");
        return graph;
    }

    private static INDArray run(Engine engine, DataType type, long last) {
        INDArray ids = Nd4j.createFromArray(1L, 0L, last).castTo(type);
        return engine.outputs(Map.of("ids", ids, "one", Nd4j.ones(DataType.FLOAT, 1)), List.of("y"))
                .get("y");
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void a_place_outside_is_refused_with_its_name_position_and_range(Use use, EveryEngine kind) {
        for (DataType type : new DataType[] {DataType.LONG, DataType.INT}) {
            try (Engine engine = kind.open(graph(use, type))) {
                assertThat(run(engine, type, SIZE - 1).length()).isPositive();
                for (long bad : new long[] {SIZE, SIZE + 1, 100_000, Integer.MAX_VALUE, -SIZE - 1, Integer.MIN_VALUE}) {
                    assertThatThrownBy(() -> run(engine, type, bad))
                            .as("%s %d", type, bad)
                            .isInstanceOf(InvalidInputException.class)
                            .hasMessageContaining(String.valueOf(bad))
                            .hasMessageContaining("2")
                            .hasMessageContaining("to " + (SIZE - 1));
                }
                assertThat(run(engine, type, SIZE - 1).length()).isPositive();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void a_place_below_zero_counts_from_the_end_or_is_refused(Use use, EveryEngine kind) {
        LongUnaryOperator fromFront = place -> place + SIZE;
        try (Engine engine = kind.open(graph(use, DataType.LONG))) {
            for (long place : new long[] {-1, -2, -SIZE}) {
                if (use.fromEnd()) {
                    assertThat(run(engine, DataType.LONG, place).toStringFull())
                            .isEqualTo(run(engine, DataType.LONG, fromFront.applyAsLong(place))
                                    .toStringFull());
                } else {
                    assertThatThrownBy(() -> run(engine, DataType.LONG, place))
                            .isInstanceOf(InvalidInputException.class)
                            .hasMessageContaining("allowed is 0 to " + (SIZE - 1));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void the_sentence_names_the_placeholder_or_the_op_and_the_variable(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.LONG, -1, -1);
        graph.gather("direct", graph.constant("wte", Nd4j.rand(DataType.FLOAT, SIZE, 2)), ids, 0);
        graph.gather("columns", graph.constant("wide", Nd4j.rand(DataType.FLOAT, 2, SIZE)), ids, 1);
        SDVariable shifted = ids.add("shifted", 1);
        graph.gather("behind", graph.constant("tall", Nd4j.rand(DataType.FLOAT, 2, SIZE)), shifted, 1);
        Map<String, INDArray> inputs = Map.of("input_ids", Nd4j.createFromArray(new long[][] {{1, 2}, {0, 9}}));
        try (Engine engine = kind.open(graph)) {
            for (String output : List.of("direct", "columns")) {
                assertThatThrownBy(() -> engine.outputs(inputs, List.of(output)))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining(
                                "the index at position [1, 1] of the placeholder `input_ids` is 9, allowed is -5 to 4");
            }
            assertThatThrownBy(() -> engine.outputs(inputs, List.of("behind")))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("the index at position [1, 1] of `shifted` is 10, allowed is -5 to 4")
                    .hasMessageContaining("gather");
        }
    }

    @ParameterizedTest
    @EnumSource
    void ids_that_are_a_view_are_read_where_they_lie(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("ids", DataType.LONG, -1, -1);
        graph.gather("y", graph.constant("table", Nd4j.rand(DataType.FLOAT, 2, SIZE)), ids, 1);
        INDArray whole = Nd4j.createFromArray(new long[][] {{99, 1, 99, 2}, {99, 0, 99, 4}, {99, 77, 99, 1}});
        INDArray good = whole.get(NDArrayIndex.interval(0, 2), NDArrayIndex.interval(1, 2, 4));
        INDArray bad = whole.get(NDArrayIndex.interval(1, 3), NDArrayIndex.interval(1, 2, 4));
        try (Engine engine = kind.open(graph)) {
            assertThat(engine.outputs(Map.of("ids", good), List.of("y"))
                            .get("y")
                            .shape())
                    .containsExactly(2, 2, 2);
            assertThat(engine.outputs(Map.of("ids", good.dup('f')), List.of("y"))
                            .get("y")
                            .toStringFull())
                    .isEqualTo(engine.outputs(Map.of("ids", good.dup('c')), List.of("y"))
                            .get("y")
                            .toStringFull());
            assertThatThrownBy(() -> engine.outputs(Map.of("ids", bad), List.of("y")))
                    .hasMessageContaining("position [1, 0] of the placeholder `ids` is 77");
        }
    }

    @ParameterizedTest
    @EnumSource
    void places_that_are_arguments_are_checked_too(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, SIZE);
        graph.gather("last", x, new int[] {-1, 0}, 1);
        graph.gather("outside", x, new int[] {0, SIZE}, 1);
        Map<String, INDArray> inputs =
                Map.of("x", Nd4j.arange(2 * SIZE).reshape(2, SIZE).castTo(DataType.FLOAT));
        try (Engine engine = kind.open(graph)) {
            assertThat(engine.outputs(inputs, List.of("last")).get("last").toFloatMatrix())
                    .isDeepEqualTo(new float[][] {{4, 0}, {9, 5}});
            assertThatThrownBy(() -> engine.outputs(inputs, List.of("outside")))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("is 5, allowed is -5 to 4");
        }
    }

    @ParameterizedTest
    @EnumSource
    void what_is_no_place_of_a_one_hot_row_is_off(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("ids", DataType.LONG, -1);
        graph.oneHot("y", ids, SIZE, -1, 1, 0, DataType.FLOAT);
        try (Engine engine = kind.open(graph)) {
            INDArray rows = engine.outputs(Map.of("ids", Nd4j.createFromArray(-1L, SIZE, 2, 1L << 33)), List.of("y"))
                    .get("y");
            assertThat(rows.sum(1).toFloatVector()).containsExactly(0, 0, 1, 0);
        }
    }
}
