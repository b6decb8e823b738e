package dev.samediff.adapters.engine.oracle;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.plan.Conversion;
import dev.samediff.adapters.engine.plan.ExecutionContext;
import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.plan.Plan;
import dev.samediff.adapters.engine.plan.PlanCompiler;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import dev.samediff.adapters.engine.testing.ProgramRun;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The memory of loops, and what a plan may not do with it. */
class LoopTargetTest {
    private final LoopTarget target = LoopTarget.ofStrides();
    private final ExecutionContext context = target.open(Set.of("frozen"));

    @AfterEach
    void close() {
        context.close();
        target.close();
    }

    private static INDArray numbers(double... numbers) {
        return Nd4j.createFromArray(numbers).castTo(DataType.FLOAT);
    }

    private Operand placed(Operand operand) {
        operand.place(context.allocate(operand.length() * operand.type().width()));
        return operand;
    }

    private Operand leaf(String name, INDArray array) {
        Operand operand = Operand.dense(array.dataType(), array.shape());
        operand.place(context.leaf(name, array));
        return operand;
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "DOUBLE", "BFLOAT16", "INT", "LONG", "SHORT", "BYTE", "UBYTE", "BOOL"})
    void arrays_of_every_type_come_back_as_they_were(DataType type) {
        INDArray array = Nd4j.createFromArray(0.0, 1, 100, -3, 7, 1)
                .muli(type == DataType.UBYTE || type == DataType.BOOL ? 0.4 : 1)
                .reshape(2, 3)
                .castTo(type);
        Operand copy = placed(Operand.dense(type, 2, 3));
        context.copy(leaf("x", array), copy).run();
        assertThatBits(context.download(copy)).isEqualTo(array);
        assertThatBits(context.download(leaf("scalar", Nd4j.scalar(1).castTo(type))))
                .isEqualTo(Nd4j.scalar(1).castTo(type));
    }

    @Test
    void numbers_between_two_of_bfloat16_go_to_the_nearest_and_from_the_middle_to_the_even_one() {
        double unit = 1.0 / 128;
        INDArray exact = numbers(
                1, 1 + unit / 2, 1 + 1.5 * unit, 1 + 0.51 * unit, -1 - unit / 2, -1 - 1.5 * unit, 3.4e38, 1e-40);
        INDArray rounded = Conversion.toBfloat16(exact, target).array();
        assertThat(rounded.dataType()).isEqualTo(DataType.BFLOAT16);
        assertThat(rounded.castTo(DataType.FLOAT).toFloatVector())
                .containsExactly(
                        1,
                        1,
                        (float) (1 + 2 * unit),
                        (float) (1 + unit),
                        -1,
                        (float) (-1 - 2 * unit),
                        Float.POSITIVE_INFINITY,
                        Float.intBitsToFloat(0x00010000));
    }

    @Test
    void copies_follow_the_strides_of_both_sides() {
        Operand x = new Operand(DataType.FLOAT, new long[] {2, 3}, new long[] {0, 2});
        x.place(context.leaf("x", numbers(1, 0, 2, 0, 3)));
        Operand whole = placed(Operand.dense(DataType.FLOAT, 3, 4));
        INDArray zeros = Nd4j.zeros(DataType.FLOAT, 3, 4);
        context.copy(leaf("zeros", zeros), whole).run();
        Operand part = new Operand(DataType.FLOAT, new long[] {2, 3}, new long[] {1, 4});
        part.place(whole.address() + 2 * DataType.FLOAT.width());
        context.copy(x, part).run();
        assertThatBits(context.download(whole)).isEqualTo(Nd4j.createFromArray(new float[][] {
            {0, 0, 1, 1}, {0, 0, 2, 2}, {0, 0, 3, 3}
        }));
        assertThatBits(context.download(part)).isEqualTo(Nd4j.createFromArray(new float[][] {{1, 2, 3}, {1, 2, 3}}));
    }

    @Test
    void what_a_run_has_not_written_is_no_number() {
        Operand y = placed(Operand.dense(DataType.FLOAT, 2));
        assertThat(context.download(y).toFloatVector()).containsOnly(Float.NaN);
        context.copy(leaf("x", numbers(1, 2)), y).run();
        context.finish();
        assertThat(context.download(y).toFloatVector()).containsExactly(1, 2);
        leaf("x", numbers(3, 4));
        assertThat(context.download(y).toFloatVector()).containsOnly(Float.NaN);
    }

    @Test
    void memory_ends_where_it_was_said_to_end() {
        Operand small = placed(Operand.dense(DataType.FLOAT, 2));
        Operand large = Operand.dense(DataType.FLOAT, 3);
        assertThatThrownBy(() -> context.download(large)).isInstanceOf(IllegalStateException.class);
        large.place(small.address());
        assertThatThrownBy(() -> context.download(large)).isInstanceOf(IndexOutOfBoundsException.class);
        small.place(small.address() + 8);
        assertThatThrownBy(() -> context.download(small)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void results_are_not_written_into_leaves_or_literals() {
        Operand x = leaf("x", numbers(1, 2));
        Operand literal = Operand.dense(DataType.FLOAT, 2);
        literal.place(context.literal(numbers(3, 4)));
        for (Kernel kernel : List.of(context.copy(literal, x), context.copy(x, literal))) {
            assertThatThrownBy(kernel::run).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void layouts_that_were_not_accepted_are_refused() {
        ProgramBuilder builder = new ProgramBuilder();
        Tensor y = builder.unary(UnaryKind.TANH, 0, 0, builder.leaf("x", DataType.FLOAT, 2, 3));
        Program program = builder.build(Map.of("y", y));
        Operand rows = Operand.dense(DataType.FLOAT, 2, 3);
        Operand columns = new Operand(DataType.FLOAT, new long[] {2, 3}, new long[] {1, 2});
        try (ExecutionContext ofRows = LoopTarget.ofRows().open(Set.of())) {
            for (List<Operand> operands : List.of(List.of(rows, columns), List.of(columns, rows))) {
                assertThatThrownBy(() ->
                                ofRows.emit(program.nodes().get(0), List.of(operands.get(0)), List.of(operands.get(1))))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("unary:TANH");
            }
        }
    }

    @Test
    void a_leaf_is_elsewhere_in_every_run_and_a_frozen_one_what_it_was_until_it_expires() {
        INDArray array = numbers(1, 2);
        for (String name : List.of("frozen", "free")) {
            long first = leaf(name, array).address();
            INDArray changed = array.mul(5);
            Operand second = leaf(name, changed);
            assertThat(second.address()).isNotEqualTo(first);
            assertThatBits(context.download(second)).isEqualTo(name.equals("frozen") ? array : changed);
            assertThat(target.hasCopy(name)).isEqualTo(name.equals("frozen"));
            target.expire(name);
            assertThatBits(context.download(leaf(name, changed))).isEqualTo(changed);
        }
    }

    @Test
    void rows_that_are_written_into_a_leaf_are_in_its_array_after_the_run() {
        ProgramBuilder builder = new ProgramBuilder();
        Tensor cache = builder.leaf("cache", DataType.FLOAT, 2, 3, 2);
        Tensor rows = builder.leaf("rows", DataType.FLOAT, 2, 1, 2);
        Tensor positions = builder.leaf("positions", DataType.LONG, 2);
        Tensor written = builder.add(new Op.WriteRows(), List.of(cache, rows, positions), DataType.FLOAT, 2, 3, 2);
        INDArray state = Nd4j.zeros(DataType.FLOAT, 2, 3, 2);
        Map<String, INDArray> leaves = Map.of(
                "cache",
                state,
                "rows",
                numbers(1, 2, 3, 4).reshape(2, 1, 2),
                "positions",
                Nd4j.createFromArray(2L, 0L));
        INDArray expected = Nd4j.createFromArray(new float[][][] {{{0, 0}, {0, 0}, {1, 2}}, {{3, 4}, {0, 0}, {0, 0}}});
        try (Plan plan = PlanCompiler.compile(builder.build(Map.of("written", written)), target)) {
            assertThatBits(plan.run(leaves::get, null).get("written")).isEqualTo(expected);
            assertThatBits(state).isEqualTo(expected);
        }
    }

    @Test
    void a_row_of_attention_that_sees_nothing_sees_all_alike_as_in_float32() {
        ProgramBuilder builder = new ProgramBuilder();
        List<Tensor> inputs = List.of(
                builder.leaf("q", DataType.FLOAT, 1, 1, 2, 1),
                builder.leaf("k", DataType.FLOAT, 1, 1, 2, 1),
                builder.leaf("v", DataType.FLOAT, 1, 1, 2, 1),
                builder.leaf("mask", DataType.FLOAT, 1, 1, 2, 2));
        Tensor y = builder.add(new Op.Attention(1, true), inputs, DataType.FLOAT, 1, 1, 2, 1);
        Program program = builder.build(Map.of("y", y));
        for (double hidden : new double[] {-1e9, -1e30, -Float.MAX_VALUE}) {
            Map<String, double[]> values = Map.of(
                    "q", new double[] {1, 1},
                    "k", new double[] {1, 3},
                    "v", new double[] {4, 8},
                    "mask", new double[] {0, hidden, hidden, hidden});
            assertThat(ProgramRun.run(program, values, Set.of(), target).get("y"))
                    .containsExactly(
                            ProgramRun.run(program, values, Set.of(), 1).get("y"), within(1e-6))
                    .containsExactly(new double[] {4, 6}, within(1e-6));
        }
    }
}
