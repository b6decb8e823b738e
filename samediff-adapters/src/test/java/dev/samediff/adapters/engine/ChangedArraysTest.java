package dev.samediff.adapters.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Arrays and ops of a graph are changed past the library while engines are open. */
class ChangedArraysTest {
    private static final int SIZE = 512;

    private final SameDiff graph = SameDiff.create();
    private Map<String, INDArray> batch = Map.of("x", random(1, 300, SIZE));

    private static INDArray random(long seed, long... shape) {
        return ToyGraph.random(new Random(seed), DataType.FLOAT, shape);
    }

    /** The frozen weight is packed and rounded by engines that do so; 300 rows are enough for it to pay. */
    private void product(long rows, long columns) {
        batch = Map.of("x", random(1, 300, rows));
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, rows);
        SDVariable y =
                graph.mmul("y", x, graph.constant("w", random(2, rows, columns).mul(0.1)));
        SDVariable z = graph.mmul("z", y, graph.var("v", random(3, columns, 8).mul(0.1)));
        z.mul(z).mean("loss");
    }

    private OpenEngines open() {
        return new OpenEngines(graph, "z", "loss", List.of("v"), batch);
    }

    @ParameterizedTest
    @CsvSource({"512,512", "512,1536", "1536,512", "100,77", "77,100"})
    void one_row_or_one_column_of_a_frozen_weight_is_noticed(int rows, int columns) {
        product(rows, columns);
        INDArray weight = graph.getArrForVarName("w");
        try (OpenEngines engines = open()) {
            for (int row : new int[] {0, rows / 3, rows - 1}) {
                weight.getRow(row).assign(0);
                engines.check("row " + row + " set to 0");
            }
            for (int column : new int[] {0, columns / 3, columns - 1}) {
                weight.getColumn(column).muli(-1);
                engines.check("column " + column + " negated");
            }
        }
    }

    @Test
    void frozen_weights_of_these_tests_are_packed_and_rounded() {
        product(SIZE, SIZE);
        for (EngineOptions options :
                List.of(EngineOptions.defaults(), EngineOptions.defaults().withPrecision(Precision.BFLOAT16))) {
            try (CompiledEngine engine = new CompiledEngine(graph, "loss", List.of("v"), options)) {
                engine.gradients(batch);
                assertThat(engine.weightBytes()).isGreaterThan((long) SIZE * SIZE);
            }
        }
    }

    @Test
    void many_rows_set_to_zero_in_place_are_noticed() {
        product(SIZE, SIZE);
        try (OpenEngines engines = open()) {
            graph.getArrForVarName("w")
                    .get(NDArrayIndex.interval(10, 100), NDArrayIndex.all())
                    .assign(0);
            engines.check("rows 10 to 100 set to 0");
        }
    }

    @Test
    void a_column_major_weight_is_looked_at_too() {
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, SIZE);
        INDArray columnMajor = random(2, SIZE, SIZE).mul(0.1).dup('f');
        SDVariable y = graph.mmul("y", x, graph.constant("w", columnMajor));
        SDVariable z = graph.mmul("z", y, graph.var("v", random(3, SIZE, 8).mul(0.1)));
        z.mul(z).mean("loss");
        try (OpenEngines engines = open()) {
            graph.getArrForVarName("w").getRow(77).assign(3);
            engines.check("a row");
            graph.getArrForVarName("w").getColumn(99).assign(3);
            engines.check("a column");
        }
    }

    @Test
    void a_tiny_change_is_a_change() {
        product(SIZE, SIZE);
        INDArray weight = graph.getArrForVarName("w");
        weight.muli(1e-4);
        graph.getArrForVarName("v").muli(1e4);
        try (OpenEngines engines = open()) {
            weight.getRow(5).muli(1.1); // by less than the 1e-5 that INDArray.equals forgives
            engines.check("a change below 1e-5");
        }
    }

    @Test
    void a_replaced_array_is_noticed_whoever_replaces_it() {
        product(SIZE, SIZE);
        GraphEditor editor = new GraphEditor(graph);
        try (OpenEngines engines = open()) {
            editor.replaceArray("w", random(4, SIZE, SIZE).mul(0.1));
            engines.check("replaceArray");
            graph.setArrayForVariable("w", random(5, SIZE, SIZE).mul(0.1));
            engines.check("setArrayForVariable");
            INDArray same = graph.getArrForVarName("w").dup('c');
            editor.replaceArray("w", same);
            engines.check("an equal array");
            same.getRow(3).assign(1);
            engines.check("a row of the equal array");
            editor.replaceArray("v", random(6, SIZE, 8));
            engines.check("another trainable array");
        }
    }

    @Test
    void arrays_of_another_shape_are_followed() {
        product(SIZE, 64);
        GraphEditor editor = new GraphEditor(graph);
        try (OpenEngines engines = open()) {
            editor.replaceArray("w", random(4, SIZE, 128).mul(0.1));
            editor.replaceArray("v", random(5, 128, 8).mul(0.1));
            engines.check("arrays of more columns");
            editor.replaceArray("w", random(6, SIZE, 16).mul(0.1));
            editor.replaceArray("v", random(7, 16, 8).mul(0.1));
            engines.check("arrays of fewer columns");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 10, 4096, 10_000, 100_000})
    void a_constant_that_plans_were_computed_with_is_noticed_at_each_end(int length) {
        batch = Map.of("x", random(1, 2, length));
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, length);
        INDArray numbers = Nd4j.createUninitialized(DataType.INT32, length).assign(3);
        SDVariable folded = graph.constant("c", numbers).castTo(DataType.FLOAT).mul(0.5);
        SDVariable z = graph.math.tanh(x.mul(graph.var("v", random(3, length)))).mul("z", folded);
        z.mul(z).mean("loss");
        INDArray constant = graph.getArrForVarName("c");
        try (OpenEngines engines = open()) {
            for (int place : new int[] {0, length / 2, length - 1}) {
                constant.putScalar(place, constant.getInt(place) + 4);
                engines.check("element " + place);
            }
            constant.assign(9);
            engines.check("all elements");
        }
    }

    @ParameterizedTest
    @CsvSource({"BOOL,300,300", "BOOL,301,299", "LONG,100,100", "INT,7,50000", "INT,50000,7"})
    void a_row_or_a_column_of_a_large_constant_is_noticed(DataType type, int rows, int columns) {
        batch = Map.of("x", random(1, rows, columns));
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, rows, columns);
        SDVariable mask = graph.constant("c", Nd4j.ones(type, rows, columns));
        SDVariable z =
                graph.math.tanh(x.mul(graph.var("v", random(3, columns)))).mul("z", mask.castTo(DataType.FLOAT));
        z.mul(z).mean("loss");
        INDArray constant = graph.getArrForVarName("c");
        try (OpenEngines engines = open()) {
            constant.get(NDArrayIndex.point(rows / 2), NDArrayIndex.all()).assign(0);
            engines.check("a row");
            constant.assign(1);
            engines.check("the row put back");
            constant.get(NDArrayIndex.all(), NDArrayIndex.point(columns / 2)).assign(0);
            engines.check("a column");
        }
    }

    @Test
    void a_constant_that_is_a_view_is_compared_by_its_bits() {
        INDArray whole = random(2, 2, 20).mul(1e-6);
        INDArray view = whole.get(NDArrayIndex.point(1), NDArrayIndex.interval(3, 13));
        batch = Map.of("x", random(1, 4, 10));
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 10);
        SDVariable z = graph.math
                .tanh(x.mul(graph.var("v", random(3, 10))))
                .mul("z", graph.constant("c", view).mul(1e6));
        z.mul(z).mean("loss");
        try (OpenEngines engines = open()) {
            graph.getArrForVarName("c").muli(-1); // by less than the 1e-5 that INDArray.equals forgives
            engines.check("a sign");
        }
    }

    @Test
    void ops_that_a_user_adds_and_rewires_are_followed() {
        product(SIZE, 64);
        try (OpenEngines engines = open()) {
            SDVariable y = graph.getVariable("y");
            graph.math.tanh("unread", y);
            engines.check("an op that nothing reads");
            y.rename("y/raw");
            engines.check("another name");
            SDVariable doubled = graph.math.tanh("y/new", y);
            graph.replaceArgFor(0, doubled, graph.getVariableOutputOp("z"));
            engines.check("an op in between");
            assertThat(graph.getOps()
                            .get(graph.getVariableOutputOp("z").getOwnName())
                            .getInputsToOp())
                    .contains("y/new");
            graph.getVariable("y/new").mul("twice", 2);
            graph.replaceArgFor(0, graph.getVariable("twice"), graph.getVariableOutputOp("z"));
            engines.check("another op in between");
        }
    }

    @Test
    void an_output_that_gets_another_producer_under_its_name_is_followed() {
        product(SIZE, 64);
        try (OpenEngines engines = open()) {
            SDVariable z = graph.getVariable("z");
            z.rename("z/raw");
            z.add(1).rename("z");
            engines.check("another z");
        }
    }

    @Test
    void a_variable_that_a_user_freezes_is_refused_by_name_until_it_is_trainable_again() {
        product(SIZE, 64);
        try (OpenEngines engines = open()) {
            graph.convertToConstant(graph.getVariable("v"));
            engines.check("v is constant");
            graph.getArrForVarName("v").getRow(1).assign(0);
            engines.check("v is constant and changed");
            graph.convertToVariable(graph.getVariable("v"));
            engines.check("v is a variable again");
            graph.convertToVariable(graph.getVariable("w"));
            engines.check("w is a variable, too");
            graph.getArrForVarName("w").putScalar(0, 1, 7);
            engines.check("one element of the variable w");
            assertThat(graph.getVariable("v").getVariableType()).isEqualTo(VariableType.VARIABLE);
        }
    }
}
