package dev.samediff.adapters.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What a plan asks of a target, and when. */
class TargetTest {
    private final PaperTarget target = new PaperTarget();

    /** y = relu(x) W^T, z = softmax(y); the relu is read twice. */
    private static Program program() {
        ProgramBuilder builder = new ProgramBuilder();
        Tensor x = builder.unary(UnaryKind.RELU, 0, 0, builder.leaf("x", DataType.FLOAT, 3, 5));
        Tensor y = builder.matmul(x, builder.transpose(builder.leaf("w", DataType.FLOAT, 7, 5)), 1);
        return builder.build(Map.of("x'", x, "y", y, "z", builder.softmax(y)));
    }

    private static INDArray leaf(String name) {
        return name.equals("x") ? Nd4j.ones(DataType.FLOAT, 3, 5) : Nd4j.ones(DataType.FLOAT, 7, 5);
    }

    @Test
    void all_places_are_multiples_of_the_targets_alignment() {
        try (Plan plan = PlanCompiler.compile(program(), target)) {
            plan.run(TargetTest::leaf, null);
            assertThat(target.operands)
                    .allMatch(operand -> operand.address() > 0 && operand.address() % PaperTarget.ALIGNMENT == 0);
            assertThat(plan.arenaBytes()).isPositive().matches(bytes -> bytes % PaperTarget.ALIGNMENT == 0);
            assertThat(target.calls).contains("allocate " + plan.arenaBytes());
        }
    }

    @Test
    void what_a_target_does_not_read_as_it_lies_is_copied_before() {
        try (Plan plan = PlanCompiler.compile(program(), target)) {
            assertThat(plan.steps()).extracting(Plan.Step::title).contains("Copy");
        }
        target.readsAll = true;
        try (Plan plan = PlanCompiler.compile(program(), target)) {
            assertThat(plan.steps()).extracting(Plan.Step::title).doesNotContain("Copy");
        }
    }

    @Test
    void an_operand_knows_the_leaf_that_starts_where_it_starts() {
        ProgramBuilder builder = new ProgramBuilder();
        Tensor w = builder.leaf("w", DataType.FLOAT, 4, 6);
        Tensor x = builder.leaf("x", DataType.FLOAT, 3, 6);
        Map<String, Tensor> outputs = Map.of(
                "whole", builder.matmul(x, builder.transpose(w), 1),
                "begin", builder.matmul(x, builder.transpose(builder.slice(w, 0, 0, 2)), 1),
                "end", builder.matmul(x, builder.transpose(builder.slice(w, 0, 2, 2)), 1));
        target.readsAll = true;
        try (Plan plan = PlanCompiler.compile(builder.build(outputs), target, Set.of("w"))) {
            assertThat(plan.steps()).hasSize(3);
            assertThat(target.frozen).containsExactly("w");
            assertThat(target.operands.stream().filter(o -> o.leaf().equals(Optional.of("w"))))
                    .hasSize(2);
        }
    }

    @Test
    void a_sum_lies_in_strided_memory_only_if_the_target_writes_there() {
        ProgramBuilder builder = new ProgramBuilder();
        Tensor x = builder.leaf("x", DataType.FLOAT, 3, 5);
        Tensor old = builder.transpose(builder.unary(UnaryKind.RELU, 0, 0, builder.leaf("old", DataType.FLOAT, 7, 3)));
        Tensor sum = builder.add(
                new Op.MatMul(1, false, true),
                List.of(x, builder.leaf("w", DataType.FLOAT, 5, 7), old),
                DataType.FLOAT,
                3,
                7);
        PlanCompiler.compile(builder.build(Map.of("sum", sum)), target).close();
        assertThat(target.operands.get(target.operands.size() - 1).isDense()).isTrue();
    }

    @Test
    void a_run_places_leaves_runs_kernels_finishes_and_then_takes_results() {
        try (Plan plan = PlanCompiler.compile(program(), target)) {
            target.calls.clear();
            assertThat(plan.run(TargetTest::leaf, null)).containsOnlyKeys("x'", "y", "z");
            assertThat(target.calls.stream().filter(call -> !call.startsWith("allocate")))
                    .containsSubsequence("leaf x", "run unary:RELU", "finish", "download", "download", "download")
                    .startsWith("leaf x", "leaf w");
            assertThat(target.calls.indexOf("finish")).isLessThan(target.calls.indexOf("download"));
        }
        assertThat(target.calls).endsWith("close");
    }

    @Test
    void memory_is_given_back_when_there_is_no_kernel_for_a_node() {
        target.broken = Op.Softmax.class;
        assertThatThrownBy(() -> PlanCompiler.compile(program(), target)).hasMessageContaining("no kernel for");
        assertThat(target.calls).endsWith("close");
    }

    @Test
    void the_queue_is_emptied_when_a_kernel_fails_and_nothing_is_returned() {
        target.broken = Op.Softmax.class;
        target.failsWhenRun = true;
        try (Plan plan = PlanCompiler.compile(program(), target)) {
            assertThatThrownBy(() -> plan.run(TargetTest::leaf, new Profile())).hasMessageContaining("failed");
            assertThat(target.calls).endsWith("finish");
        }
    }

    @Test
    void the_profile_is_of_the_targets_own_clock() {
        Profile profile = new Profile();
        try (Plan plan = PlanCompiler.compile(program(), target)) {
            plan.run(TargetTest::leaf, profile);
            plan.run(TargetTest::leaf, profile);
            assertThat(profile.entries())
                    .hasSize(4)
                    .allMatch(entry -> entry.calls() == 2 && entry.milliseconds() == 0.002);
        }
    }
}
