package dev.samediff.adapters.engine.fusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.gradient.Backward;
import dev.samediff.adapters.engine.lowering.Lowering;
import dev.samediff.adapters.engine.oracle.LoopTarget;
import dev.samediff.adapters.engine.oracle.Oracle;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramCheck;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.testing.ProgramRun;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;

/** Every form replaces what it should and leaves alone what is almost the same; results and gradients stay what they were. */
class FormsTest {
    private static final String LOSS = "loss";

    static Stream<FormExample> examples() {
        return FormExamples.all();
    }

    /** A program, and what the forms made of it. */
    private record Fused(Program before, Program after, Set<Class<?>> applied, Set<String> trainables) {}

    private static Fused fuse(FormExample example) {
        SameDiff graph = SameDiff.create();
        SDVariable y = example.build().apply(graph);
        y.rename("y");
        y.mul(graph.constant("random", FormExamples.random(5, example.shape(y))))
                .sum()
                .rename(LOSS);
        Lowering.Lowered lowered =
                Lowering.lower(graph, List.of("y", LOSS), name -> FormExamples.zeros(graph.getVariable(name)));
        Program before = ProgramCheck.check(lowered.builder().build(lowered.outputs()), "lowering");
        Set<String> trainables = graph.variables().stream()
                .filter(v -> v.getVariableType() == VariableType.VARIABLE)
                .map(SDVariable::name)
                .collect(Collectors.toSet());
        Set<Class<?>> applied = new HashSet<>();
        Program after = before;
        for (List<Form> stage : List.of(Fusion.LAYERS, Fusion.PRODUCTS, Fusion.ATTENTION)) {
            List<Form> recording = stage.stream()
                    .map(form -> (Form) new Recording(form, applied))
                    .toList();
            after = Fusion.apply(after, trainables, recording);
        }
        return new Fused(before, after, applied, trainables);
    }

    private record Recording(Form form, Set<Class<?>> applied) implements Form {
        @Override
        public Pattern pattern() {
            return form.pattern();
        }

        @Override
        public Tensor result(Match match) {
            applied.add(form.getClass());
            return form.result(match);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("examples")
    void a_form_is_found_where_it_is_and_nowhere_else(FormExample example) {
        assertThat(fuse(example).applied().contains(example.form())).isEqualTo(example.matches());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("examples")
    void results_and_gradients_are_those_of_the_steps(FormExample example) {
        Fused fused = fuse(example);
        Map<String, double[]> values = values(fused.before());
        Program plain = Backward.of(fused.before(), LOSS, fused.trainables(), name -> "d " + name);
        Program joined = Backward.of(fused.after(), LOSS, fused.trainables(), name -> "d " + name);
        Map<String, double[]> expected = Oracle.run(plain, values);
        compare(expected, Oracle.run(joined, values), 1e-7);
        compare(expected, ProgramRun.run(Fusion.products(joined), values, Set.of(), 1), 1e-4);
        compare(expected, ProgramRun.run(joined, values, Set.of(), 2), 1e-4);
        for (Target target : loops()) {
            compare(expected, ProgramRun.run(Fusion.products(joined), values, Set.of(), target), 1e-5);
        }
    }

    private static List<Target> loops() {
        return LoopTarget.runsAll()
                ? List.of(LoopTarget.ofStrides(), LoopTarget.ofRows())
                : List.of(LoopTarget.ofStrides());
    }

    private static Map<String, double[]> values(Program program) {
        Map<String, double[]> values = new LinkedHashMap<>();
        program.leaves().forEach((name, leaf) -> {
            Random random = new Random(name.hashCode());
            int count = Math.toIntExact(leaf.length());
            values.put(
                    name,
                    leaf.isFloat()
                            ? random.doubles(count, -2, 2).map(x -> (float) x).toArray()
                            : random.ints(count, 0, 4).asDoubleStream().toArray());
        });
        return values;
    }

    private static void compare(Map<String, double[]> expected, Map<String, double[]> actual, double tolerance) {
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, right) -> {
            double scale = 1;
            for (double number : right) {
                scale = Math.max(scale, Math.abs(number));
            }
            for (int i = 0; i < right.length; i++) {
                assertThat(actual.get(name)[i]).as("%s[%d]", name, i).isCloseTo(right[i], within(tolerance * scale));
            }
        });
    }

    @Test
    void every_form_has_an_example_and_two_that_are_almost_one() {
        for (List<Form> stage : List.of(Fusion.LAYERS, Fusion.PRODUCTS, Fusion.ATTENTION)) {
            for (Form form : stage) {
                List<FormExample> own = examples()
                        .filter(example -> example.form() == form.getClass())
                        .toList();
                assertThat(own.stream().filter(FormExample::matches))
                        .as("examples of %s", form)
                        .isNotEmpty();
                assertThat(own.stream().filter(example -> !example.matches()))
                        .as("what is almost %s", form)
                        .hasSizeGreaterThan(1);
            }
        }
    }
}
