package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.testing.EveryEngine;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Indices are those ONNX Runtime accepts, in every operator that reads or writes at places, wherever they come from, and in
 * every engine. Others ended the process, read what lies elsewhere, gave zeros, or were passed over.
 */
class IndicesOutsideTest {
    private static final int SIZE = 4;
    /** Beside the index that is tried there is this one, which is never the same place. */
    private static final long OTHER = 1;

    private static final long[] TRIED = {
        -SIZE - 1,
        -SIZE,
        -1,
        0,
        SIZE - 1,
        SIZE,
        100_000,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        (1L << 32) + 2,
        (1L << 32) - 1,
        Long.MAX_VALUE,
        Long.MIN_VALUE
    };

    @TempDir
    Path folder;

    /** Operators over `data` [4,4], by `ids` [2], `column` [2,1] or `elements` [2,4]. */
    private enum Use {
        GATHER("Gather", "data ids"),
        GATHER_COLUMNS("Gather", "data ids", "axis", 1),
        GATHER_ONE("Gather", "data single"),
        GATHER_ONE_COLUMN("Gather", "data single", "axis", 1),
        GATHER_WITHOUT_AXIS("Gather", "data scalar", "axis", 1),
        GATHER_OF_WHOLES("Gather", "wholes column"),
        GATHER_BY_MATRIX("Gather", "data elements"),
        GATHER_COLUMNS_BY_MATRIX("Gather", "data elements", "axis", -1),
        GATHER_OF_VECTOR("Gather", "vector column"),
        GATHER_BY_INT32("Gather", "data ids32"),
        GATHER_ND("GatherND", "data column"),
        GATHER_ND_FIRST("GatherND", "data first"),
        GATHER_ND_LAST("GatherND", "data last"),
        GATHER_ND_IN_BATCH("GatherND", "data batch", "batch_dims", 1),
        GATHER_ELEMENTS("GatherElements", "data elements"),
        GATHER_ELEMENTS_OF_COLUMNS("GatherElements", "data across", "axis", 1),
        SCATTER_ND("ScatterND", "data column rows"),
        SCATTER_ND_FIRST("ScatterND", "data first numbers"),
        SCATTER_ND_LAST("ScatterND", "data last numbers"),
        SCATTER_ND_ADDING("ScatterND", "data column rows", "reduction", "add"),
        SCATTER_ND_MULTIPLYING("ScatterND", "data last numbers", "reduction", "mul"),
        SCATTER_ND_LARGEST("ScatterND", "data column rows", "reduction", "max"),
        SCATTER_ND_OF_WHOLES("ScatterND", "wholes column whole_rows"),
        SCATTER_ELEMENTS("ScatterElements", "data elements rows"),
        SCATTER_ELEMENTS_OF_COLUMNS("ScatterElements", "data across rows_across", "axis", 1),
        SCATTER_ELEMENTS_ADDING("ScatterElements", "data elements rows", "reduction", "add"),
        SCATTER_ELEMENTS_SMALLEST("ScatterElements", "data across rows_across", "axis", 1, "reduction", "min");

        private final String operator;
        private final String inputs;
        private final Object[] attributes;

        Use(String operator, String inputs, Object... attributes) {
            this.operator = operator;
            this.inputs = inputs;
            this.attributes = attributes;
        }

        boolean isOf(String operand) {
            return Arrays.asList(inputs.split(" ")).contains(operand);
        }

        /** Whether int32 cannot hold an index. */
        boolean cannotHold(long index) {
            return isOf("ids32") && index != (int) index;
        }
    }

    /** What is looked up in. */
    private enum Data {
        STORED,
        COMPUTED,
        COMPUTED_OF_OPEN_SIZE
    }

    /** Where the index comes from. */
    private enum Source {
        FED,
        COMPUTED,
        CONSTANT
    }

    private static HostTensor reals(int rows, int columns, int from) {
        double[] values = new double[rows * columns];
        Arrays.setAll(values, i -> i + from);
        return HostTensor.of(DataType.FLOAT, new long[] {rows, columns}, values);
    }

    private static HostTensor wholes(int rows, int columns, int from) {
        return HostTensor.of(
                DataType.LONG,
                new long[] {rows, columns},
                LongStream.range(from, from + (long) rows * columns).toArray());
    }

    private Path write(Use use, Data data, Source source, long constant) {
        long open = data == Data.COMPUTED_OF_OPEN_SIZE ? -1 : SIZE;
        TinyModel model = new TinyModel(18)
                .input("x", DataType.FLOAT, open, SIZE)
                .input("along", DataType.FLOAT, SIZE, data == Data.COMPUTED_OF_OPEN_SIZE ? -2 : SIZE)
                .initializer("table", reals(SIZE, SIZE, 1))
                .initializer("whole_table", wholes(SIZE, SIZE, 1))
                .initializer("rows", reals(2, SIZE, 40))
                .initializer("rows_across", reals(SIZE, 2, 50))
                .initializer("whole_rows", wholes(2, SIZE, 60))
                .initializer("numbers", HostTensor.of(DataType.FLOAT, new long[] {2}, new double[] {70, 71}))
                .initializer("zero", HostTensor.vector(0))
                .initializer("one", HostTensor.vector(1))
                .initializer("two", HostTensor.vector(2))
                .initializer("zeros", HostTensor.of(DataType.LONG, new long[] {2, 1}, new long[2]))
                .initializer("wide", HostTensor.of(DataType.LONG, new long[] {2, SIZE}, new long[2 * SIZE]))
                .initializer("lines", HostTensor.of(DataType.LONG, new long[] {SIZE, 1}, new long[SIZE]));
        operand(model, data);
        index(model, source, constant);
        model.node("Unsqueeze", "ids one", "column")
                .node("Add", "column wide", "elements")
                .node("Add", "ids lines", "across")
                .node("Slice", "ids one two", "single")
                .node("Squeeze", "single zero", "scalar")
                .node("Concat", "column zeros", "first", "axis", 1)
                .node("Concat", "zeros column", "last", "axis", 1)
                .node("Concat", "column column", "batch", "axis", 0)
                .named("/model/node", use.operator, use.inputs, "y", use.attributes);
        if (use.isOf("ids32")) {
            model.node("Cast", "ids", "ids32", "to", 6);
        }
        return model.reversed().output("y").write(folder);
    }

    private static void operand(TinyModel model, Data data) {
        if (data == Data.STORED) {
            model.node("Identity", "table", "data");
        } else {
            model.node("MatMul", "x table", "between").node("MatMul", "between along", "data");
        }
        model.node("Gather", "data zero", "top", "axis", 1)
                .node("Squeeze", "top one", "vector")
                .node("Cast", "data", "wholes", "to", 7);
    }

    private static void index(TinyModel model, Source source, long constant) {
        switch (source) {
            case CONSTANT -> model.initializer("ids", HostTensor.vector(OTHER, constant));
            case FED -> model.input("ids", DataType.LONG, 2);
            case COMPUTED -> model.input("shift", DataType.LONG, -3).node("Add", "shift one", "ids");
        }
    }

    private static Map<String, INDArray> inputs(Source source, long index) {
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        inputs.put("x", Nd4j.eye(SIZE));
        inputs.put("along", Nd4j.eye(SIZE));
        switch (source) {
            case FED -> inputs.put("ids", Nd4j.createFromArray(OTHER, index));
            case COMPUTED -> inputs.put("shift", Nd4j.createFromArray(OTHER - 1, index - 1));
            case CONSTANT -> {
                // in the file
            }
        }
        return inputs;
    }

    private static boolean isInside(long index) {
        return index >= -SIZE && index < SIZE;
    }

    /** What ONNX Runtime gives; nothing if it refuses. */
    private static Optional<INDArray> expected(Path file, Map<String, INDArray> inputs) {
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            return expected(runtime, inputs);
        } catch (InvalidInputException refused) {
            return Optional.empty();
        }
    }

    static Stream<Arguments> cases() {
        return Stream.of(Use.values())
                .flatMap(use -> Stream.of(Data.values())
                        .flatMap(data -> Stream.of(Source.values()).map(source -> Arguments.of(use, data, source))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void indices_count_from_both_ends_and_no_further(Use use, Data data, Source source) {
        if (source == Source.CONSTANT) {
            for (long index : TRIED) {
                check(use, write(use, data, source, index), source, index);
            }
        } else {
            check(use, write(use, data, source, 0), source, TRIED);
        }
    }

    private void check(Use use, Path file, Source source, long... indices) {
        ImportedModel model;
        try {
            model = OnnxImporter.load(file);
        } catch (InvalidInputException e) {
            assertThat(source).as("%s", e.getMessage()).isEqualTo(Source.CONSTANT);
            assertThat(expected(file, inputs(source, 0)))
                    .as("%s", e.getMessage())
                    .isEmpty();
            assertThat(e).hasMessageContaining(String.valueOf(indices[0])).hasMessageContaining("/model/node");
            return;
        }
        Map<Long, Optional<INDArray>> expected = new LinkedHashMap<>();
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            for (long index : indices) {
                if (!use.cannotHold(index)) {
                    expected.put(index, expected(runtime, inputs(source, index)));
                }
            }
        }
        for (EveryEngine kind : EveryEngine.values()) {
            try (Engine engine = kind.open(model.graph())) {
                expected.forEach((index, result) -> check(kind, engine, result, inputs(source, index), index));
            }
        }
    }

    private static Optional<INDArray> expected(OnnxRuntimeModel runtime, Map<String, INDArray> inputs) {
        try {
            return Optional.of(runtime.run(inputs).get("y"));
        } catch (InvalidInputException refused) {
            return Optional.empty();
        }
    }

    private static void check(
            EveryEngine kind, Engine engine, Optional<INDArray> expected, Map<String, INDArray> inputs, long index) {
        assertThat(expected.isPresent()).as("ONNX Runtime on %d", index).isEqualTo(isInside(index));
        if (expected.isPresent()) {
            INDArray actual = engine.outputs(inputs, List.of("y")).get("y");
            assertThat(actual.shape()).containsExactly(expected.get().shape());
            assertThat(doubles(actual)).as("%s on %d", kind, index).containsExactly(doubles(expected.get()));
        } else {
            assertThatThrownBy(() -> engine.outputs(inputs, List.of("y")))
                    .as("%s on %d", kind, index)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("is " + index)
                    .hasMessageContaining("allowed is -4 to 3")
                    .hasMessageContaining(inputs.containsKey("ids") ? "position [" : "`")
                    .hasMessageNotContaining("\n");
        }
    }

    private static double[] doubles(INDArray array) {
        return array.castTo(DataType.DOUBLE).dup('c').reshape(array.length()).toDoubleVector();
    }

    static Stream<Arguments> trained() {
        return Stream.of(Use.values())
                .filter(use -> !use.isOf("wholes") && !use.isOf("ids32"))
                .map(Arguments::of);
    }

    @ParameterizedTest
    @MethodSource("trained")
    void training_refuses_them_too_and_has_the_gradient_of_the_reference_engine(Use use) {
        SameDiff graph =
                OnnxImporter.load(write(use, Data.COMPUTED, Source.FED, 0)).graph();
        OperatorCases.makeTrainable(graph, "x", OperatorCases.reals(SIZE, SIZE));
        SDVariable y = graph.getVariable("y");
        y.mul(y).sum().rename("loss");
        graph.setLossVariables("loss");
        for (EveryEngine kind : EveryEngine.values()) {
            try (Engine engine = kind.open(graph, "loss", List.of("x/variable"));
                    Engine reference = EveryEngine.REFERENCE.open(graph, "loss", List.of("x/variable"))) {
                for (long index : TRIED) {
                    Map<String, INDArray> inputs = inputs(Source.FED, index);
                    if (isInside(index)) {
                        assertGradients(engine.gradients(inputs), reference.gradients(inputs), kind);
                    } else {
                        assertThatThrownBy(() -> engine.gradients(inputs))
                                .as("%s on %d", kind, index)
                                .isInstanceOf(InvalidInputException.class)
                                .hasMessageContaining("is " + index + ", allowed is -4 to 3");
                    }
                }
            }
        }
    }

    private static void assertGradients(Engine.Gradients actual, Engine.Gradients expected, EveryEngine kind) {
        double[] left = doubles(actual.byName().get("x/variable"));
        double[] right = doubles(expected.byName().get("x/variable"));
        double tolerance = kind == EveryEngine.BFLOAT16 ? 1e-2 : 1e-5;
        double largest = Arrays.stream(right).map(Math::abs).max().orElse(0);
        assertThat(largest).isPositive();
        assertThat(left).hasSameSizeAs(right);
        for (int i = 0; i < left.length; i++) {
            assertThat(Math.abs(left[i] - right[i])).as("%s %d", kind, i).isLessThan(tolerance * largest);
        }
    }

    @ParameterizedTest
    @EnumSource
    void one_sentence_names_the_node_the_input_the_position_the_value_and_the_range(EveryEngine kind) {
        String node = ", allowed is -4 to 3 (op add, which makes `/model/node/from_end`)";
        assertThat(refusal(kind, Use.GATHER, Source.FED, 9))
                .isEqualTo("the index at position [1] of the placeholder `ids` is 9" + node);
        assertThat(refusal(kind, Use.SCATTER_ELEMENTS, Source.COMPUTED, -5))
                .isEqualTo("the index at position [1, 0] of `elements` is -5" + node);
        assertThat(refusal(kind, Use.SCATTER_ND_LAST, Source.FED, 4))
                .isEqualTo("the index at position [1] of coordinate 1 of `last` is 4"
                        + node.replace("from_end", "from_end_"));
    }

    private String refusal(EveryEngine kind, Use use, Source source, long index) {
        ImportedModel model = OnnxImporter.load(write(use, Data.COMPUTED, source, 0));
        try (Engine engine = kind.open(model.graph())) {
            engine.outputs(inputs(source, index), List.of("y"));
            return "nothing";
        } catch (InvalidInputException e) {
            return e.getMessage();
        }
    }

    @Test
    void a_saved_graph_still_knows_its_indices() throws Exception {
        ImportedModel model = OnnxImporter.load(write(Use.SCATTER_ND, Data.COMPUTED, Source.FED, 0));
        Path saved = folder.resolve("graph.fb");
        model.graph().save(saved.toFile(), false);
        SameDiff loaded = SameDiff.load(saved.toFile(), false);
        for (EveryEngine kind : EveryEngine.values()) {
            try (Engine engine = kind.open(loaded)) {
                assertThatThrownBy(() -> engine.outputs(inputs(Source.FED, SIZE), List.of("y")))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("is 4, allowed is -4 to 3");
            }
        }
    }
}
