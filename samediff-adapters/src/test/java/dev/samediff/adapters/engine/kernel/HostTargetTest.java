package dev.samediff.adapters.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.plan.Plan;
import dev.samediff.adapters.engine.plan.PlanCompiler;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.memory.NativeBlock;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class HostTargetTest {
    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    private static Program attention(long positions) {
        ProgramBuilder builder = new ProgramBuilder();
        long[] shape = {1, 8, positions, 32};
        Tensor q = builder.leaf("q", DataType.FLOAT, shape);
        Tensor out = builder.add(new Op.Attention(0.25, false), List.of(q, q, q), DataType.FLOAT, shape);
        return builder.build(Map.of("out", out));
    }

    private static String kernels(Plan plan) {
        return plan.steps().get(0).kernel().describe();
    }

    private static Map<String, INDArray> run(Plan plan) {
        return plan.run(
                name -> Nd4j.linspace(-1, 1, plan.program().leaves().get(name).length(), DataType.FLOAT)
                        .reshape(plan.program().leaves().get(name).shape()),
                null);
    }

    @Test
    void two_targets_with_one_and_two_threads_keep_theirs() {
        try (HostTarget one = new HostTarget(1, true);
                HostTarget two = new HostTarget(2, true);
                Plan first = PlanCompiler.compile(attention(1024), one);
                Plan second = PlanCompiler.compile(attention(1024), two)) {
            run(second);
            run(first);
            try (Plan laterOfOne = PlanCompiler.compile(attention(1536), one);
                    Plan laterOfTwo = PlanCompiler.compile(attention(1536), two)) {
                assertThat(List.of(kernels(first), kernels(laterOfOne))).allMatch(kernel -> !kernel.startsWith("2 x"));
                assertThat(List.of(kernels(second), kernels(laterOfTwo))).allMatch(kernel -> kernel.startsWith("2 x"));
            }
        }
    }

    @Test
    void a_target_without_a_number_does_not_take_that_of_another() {
        int all = OneDnn.threads();
        try (HostTarget other = new HostTarget(all + 1, true);
                HostTarget plain = new HostTarget(0, true)) {
            try (Plan plan = PlanCompiler.compile(attention(1024), other)) {
                run(plan);
            }
            try (Plan plan = PlanCompiler.compile(attention(1024), plain)) {
                assertThat(kernels(plan).startsWith(all + " x")).isEqualTo(all > 1);
            }
        }
    }

    @Test
    void an_output_that_is_a_view_of_a_leaf_is_what_the_leaf_was() {
        ProgramBuilder builder = new ProgramBuilder();
        Tensor x = builder.leaf("x", DataType.FLOAT, 2, 3);
        Program program = builder.build(Map.of("dense", builder.reshape(x, 6), "strided", builder.transpose(x)));
        try (HostTarget target = new HostTarget(0, true);
                Plan plan = PlanCompiler.compile(program, target)) {
            INDArray array = Nd4j.createFromArray(1f, 2, 3, 4, 5, 6).reshape(2, 3);
            Map<String, INDArray> results = plan.run(name -> array, null);
            array.assign(9);
            assertThat(results.get("dense").data().asFloat()).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(results.get("strided").data().asFloat()).containsExactly(1, 4, 2, 5, 3, 6);
        }
    }

    @Test
    void closing_a_plan_gives_its_memory_back() {
        try (HostTarget target = new HostTarget(1, true)) {
            PlanCompiler.compile(attention(1024), target).close(); // what kernels work with is there from now on
            long before = NativeBlock.totalBytes();
            try (Plan plan = PlanCompiler.compile(attention(1024), target)) {
                assertThat(NativeBlock.totalBytes() - before).isEqualTo(plan.arenaBytes() + plan.workspaceBytes());
            }
            assertThat(NativeBlock.totalBytes()).isEqualTo(before);
        }
    }
}
