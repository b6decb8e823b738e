package dev.samediff.adapters.engine.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.fusion.Fusion;
import dev.samediff.adapters.engine.oracle.LoopTarget;
import dev.samediff.adapters.engine.oracle.Oracle;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramCheck;
import dev.samediff.adapters.engine.program.Recomputation;
import dev.samediff.adapters.engine.program.ReducedPrecision;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.testing.ProgramRun;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Every operation of programs, differentiated by every floating point input: rules against finite differences in float64,
 * kernels against the rules in float64.
 */
class DerivativeTest {
    private static final String GRADIENT = "d ";
    private static final double STEP = 1e-5;

    /** Differences of float64 are exact to STEP^2 and to rounding over STEP. */
    private static final double RULE = 1e-6;

    /** float32 sums of up to 9000 terms. */
    private static final double KERNEL = 3e-5;

    /** float64 sums, rounded to float32 between nodes. */
    private static final double LOOP = 1e-5;

    /** Operations without a derivative: they only occur behind the loss, or where nothing is trained. */
    private static final Set<Class<?>> GRADIENTS = Set.of(
            Op.UnaryGrad.class,
            Op.SoftmaxGrad.class,
            Op.AttentionGrad.class,
            Op.LayerNormGrad.class,
            Op.RmsNormGrad.class,
            Op.CrossEntropyGrad.class,
            Op.GatherGrad.class);

    /** Rules do not depend on sizes; kernels do. */
    private static final int LARGEST_OF_RULES = 20_000;

    private static final int LARGEST_OF_LOOPS = 3000;

    static Stream<OpCase> cases() {
        return OpCases.all();
    }

    static Stream<OpCase> small_cases() {
        return cases().filter(op -> numbers(op) < LARGEST_OF_RULES);
    }

    private static int numbers(OpCase op) {
        return op.values().values().stream().mapToInt(values -> values.length).sum();
    }

    private static Program backward(OpCase op) {
        Program program = Backward.of(op.program(), OpCase.LOSS, op.trained(), name -> GRADIENT + name);
        return ProgramCheck.check(program, "differentiation");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("small_cases")
    void rules_are_the_slopes_of_differences(OpCase op) {
        Map<String, double[]> gradients = Oracle.run(backward(op), op.values());
        for (String leaf : op.trained()) {
            double[] gradient = gradients.get(GRADIENT + leaf);
            assertThat(gradient).as("gradient by " + leaf).isNotNull();
            Random random = new Random(leaf.hashCode());
            for (int direction = 0; direction < 3; direction++) {
                double[] d = random.doubles(gradient.length, -1, 1).toArray();
                double expected = (loss(op, leaf, d, STEP) - loss(op, leaf, d, -STEP)) / (2 * STEP);
                double actual = 0;
                double scale = 0;
                for (int i = 0; i < d.length; i++) {
                    actual += gradient[i] * d[i];
                    scale += Math.abs(gradient[i] * d[i]);
                }
                assertThat(actual).as("slope along %s of %s", leaf, op).isCloseTo(expected, within(RULE * (1 + scale)));
            }
        }
    }

    private static double loss(OpCase op, String leaf, double[] direction, double step) {
        Map<String, double[]> moved = new HashMap<>(op.values());
        double[] values = moved.get(leaf).clone();
        for (int i = 0; i < values.length; i++) {
            values[i] += step * direction[i];
        }
        moved.put(leaf, values);
        return Oracle.run(op.program(), moved).get(OpCase.LOSS)[0];
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void kernels_compute_what_the_rules_say(OpCase op) {
        Program program = backward(op);
        Map<String, double[]> expected = Oracle.run(program, op.values());
        for (int threads : new int[] {1, 2}) {
            compare(expected, ProgramRun.run(program, op.values(), frozen(op), threads), KERNEL);
        }
        Program fused = Fusion.products(program);
        compare(expected, ProgramRun.run(fused, op.values(), Set.of(), 2), KERNEL);
        Program recomputing = ProgramCheck.check(Recomputation.apply(program, OpCase.LOSS), "recomputation");
        compare(expected, ProgramRun.run(recomputing, op.values(), Set.of(), 1), KERNEL);
    }

    static Stream<OpCase> cases_with_frozen_matrices() {
        return cases().filter(op -> frozen(op).stream()
                .anyMatch(name -> op.program().leaves().get(name).rank() == 2));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases_with_frozen_matrices")
    void kernels_of_rounded_weights_compute_what_the_rules_say(OpCase op) {
        Program program = ProgramCheck.check(ReducedPrecision.apply(backward(op), frozen(op)), "reduced precision");
        Map<String, double[]> values = new HashMap<>(op.values());
        frozen(op)
                .forEach(name -> values.put(
                        name + ReducedPrecision.SUFFIX,
                        ProgramRun.bfloat16(op.values().get(name))));
        Map<String, double[]> expected = Oracle.run(program, values);
        compare(expected, ProgramRun.run(program, values, Set.of(), 2), 2e-3);
    }

    static Stream<OpCase> looped_cases() {
        return cases().filter(op -> LoopTarget.runsAll() || numbers(op) < LARGEST_OF_LOOPS);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("looped_cases")
    void plans_in_loops_compute_what_the_rules_say(OpCase op) {
        Program program = backward(op);
        Program recomputing = ProgramCheck.check(Recomputation.apply(program, OpCase.LOSS), "recomputation");
        Program reduced = ProgramCheck.check(ReducedPrecision.apply(program, frozen(op)), "reduced precision");
        Map<String, double[]> values = new HashMap<>(op.values());
        frozen(op)
                .forEach(name -> values.put(
                        name + ReducedPrecision.SUFFIX,
                        ProgramRun.bfloat16(op.values().get(name))));
        Map<String, double[]> expected = Oracle.run(program, values);
        for (Target target : List.of(LoopTarget.ofRows(), LoopTarget.ofStrides())) {
            try (target) {
                compare(expected, ProgramRun.run(program, values, frozen(op), target), LOOP);
                compare(expected, ProgramRun.run(Fusion.products(program), values, Set.of(), target), LOOP);
                compare(expected, ProgramRun.run(recomputing, values, Set.of(), target), LOOP);
                compare(Oracle.run(reduced, values), ProgramRun.run(reduced, values, Set.of(), target), 2e-3);
            }
        }
    }

    private static Set<String> frozen(OpCase op) {
        return op.program().leaves().entrySet().stream()
                .filter(leaf -> leaf.getValue().isFloat() && !op.trained().contains(leaf.getKey()))
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    private static void compare(Map<String, double[]> expected, Map<String, double[]> actual, double tolerance) {
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, right) -> {
            double[] found = actual.get(name);
            double scale = 1e-3;
            for (double number : right) {
                scale = Math.max(scale, Math.abs(number));
            }
            if (name.equals(OpCase.LOSS)) {
                scale += Math.sqrt(expected.get(OpCase.RESULT).length); // terms of size 1 that cancel
            }
            int worst = 0;
            for (int i = 0; i < right.length; i++) {
                worst = Math.abs(found[i] - right[i]) <= Math.abs(found[worst] - right[worst]) ? worst : i;
            }
            assertThat(found[worst]).as("%s[%d]", name, worst).isCloseTo(right[worst], within(tolerance * scale));
        });
    }

    @Test
    void every_operation_is_tested_by_every_floating_point_input() {
        Set<Class<?>> derived = new HashSet<>();
        Set<Class<?>> occurring = new HashSet<>();
        cases().forEach(op -> {
            Set<Tensor> trained = op.program().trained(op.trained());
            for (Node node : op.program().nodes()) {
                boolean all = node.inputs().stream()
                        .filter(Tensor::isFloat)
                        .allMatch(input -> trained.contains(input) || isWithoutDerivative(node, input));
                if (all) {
                    derived.add(node.op().getClass());
                }
            }
            backward(op).nodes().forEach(node -> occurring.add(node.op().getClass()));
        });
        Set<Class<?>> all = operations(Op.class);
        all.removeAll(GRADIENTS);
        // Written by decoding alone, where nothing is trained; ND4J's have a test of their own, OpByOpGradientTest.
        all.removeAll(Set.of(Op.WriteRows.class, Op.Nd4j.class, Op.Detach.class)); // the last: DetachTest
        assertThat(derived).containsAll(all);
        assertThat(occurring).containsAll(GRADIENTS);
    }

    /** Inputs by which there is no derivative, and fusions must know it. */
    private static boolean isWithoutDerivative(Node node, Tensor input) {
        return (node.op() instanceof Op.Attention && node.inputs().indexOf(input) == 3)
                || (node.op() instanceof Op.CrossEntropy && node.inputs().indexOf(input) == 2);
    }

    private static Set<Class<?>> operations(Class<?> sealed) {
        Set<Class<?>> found = new HashSet<>();
        for (Class<?> permitted : sealed.getPermittedSubclasses()) {
            if (permitted.isSealed()) {
                found.addAll(operations(permitted));
            } else {
                found.add(permitted);
            }
        }
        return found;
    }

    static Stream<OpCase> without_a_derivative() {
        return Stream.of(
                OpCase.of(
                        "attention by its mask",
                        l -> l.builder.add(
                                new Op.Attention(1, true),
                                List.of(
                                        l.frozen("q", 1, 1, 4, 2),
                                        l.frozen("k", 1, 1, 4, 2),
                                        l.frozen("v", 1, 1, 4, 2),
                                        l.normal("mask", 1, 1, 4, 4)),
                                DataType.FLOAT,
                                1,
                                1,
                                4,
                                2)),
                OpCase.of(
                        "cross entropy by its weights",
                        l -> l.builder
                                .add(
                                        new Op.CrossEntropy(),
                                        List.of(
                                                l.normal("z", 3, 5),
                                                l.ids("labels", DataType.LONG, 5, 3),
                                                l.normal("w", 3)),
                                        List.of(DataType.FLOAT, DataType.FLOAT),
                                        List.of(new long[] {}, new long[] {3}))
                                .get(0)),
                OpCase.of(
                        "writing rows",
                        l -> l.builder.add(
                                new Op.WriteRows(),
                                List.of(
                                        l.frozen("cache", 2, 4, 3),
                                        l.normal("rows", 2, 1, 3),
                                        l.ids("positions", DataType.LONG, 4, 2)),
                                DataType.FLOAT,
                                2,
                                4,
                                3)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("without_a_derivative")
    void a_wanted_gradient_without_a_rule_is_refused(OpCase op) {
        assertThatThrownBy(() -> backward(op))
                .isInstanceOf(UncompilableException.class)
                .hasMessageContainingAll(
                        "derivative", op.program().nodes().get(0).op().title());
    }
}
