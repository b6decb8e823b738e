package dev.samediff.adapters.engine.compiled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.plan.ExecutionContext;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Engines on targets that are given to them. */
class TargetsTest {
    private final TinyGpt gpt = new TinyGpt(32, 2, 2, 50, 3);
    private final TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
    private final Map<String, INDArray> batch = gpt.batch(3, 16, 1);

    private CompiledEngine engine(EngineOptions options, Target target) {
        return new CompiledEngine(gpt.graph, loss.loss(), gpt.trainables, options, target);
    }

    /** The host's kernels behind the simplest answers: no layouts but row-major, nothing in place. */
    private static class PlainTarget implements Target {
        final List<String> expired = new ArrayList<>();
        final Set<String> frozen = new HashSet<>();
        String reason = "";
        boolean isNative;
        boolean isClosed;
        private final Target host = Targets.open(EngineOptions.defaults());

        @Override
        public String reason() {
            return reason;
        }

        @Override
        public boolean multipliesBfloat16() {
            return isNative;
        }

        @Override
        public ExecutionContext open(Set<String> leaves) {
            frozen.addAll(leaves);
            return host.open(leaves);
        }

        @Override
        public boolean hasCopy(String leaf) {
            return true;
        }

        @Override
        public void expire(String leaf) {
            expired.add(leaf);
            host.expire(leaf);
        }

        @Override
        public void close() {
            isClosed = true;
            host.close();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "BFLOAT16"})
    void a_target_that_knows_row_major_layouts_only_computes_the_same(Precision precision) {
        EngineOptions options = EngineOptions.defaults().withPrecision(precision);
        try (CompiledEngine expected = new CompiledEngine(gpt.graph, loss.loss(), gpt.trainables, options);
                CompiledEngine plain = engine(options, new PlainTarget())) {
            Engine.Gradients right = expected.gradients(batch);
            Engine.Gradients actual = plain.gradients(batch);
            assertThat(plain.fallback()).isEmpty();
            assertThat(actual.loss()).isCloseTo(right.loss(), within(1e-5));
            assertThat(actual.byName()).hasSameSizeAs(right.byName());
            right.byName()
                    .forEach((name, gradient) -> assertThat(actual.byName()
                                    .get(name)
                                    .sub(gradient)
                                    .norm2Number()
                                    .doubleValue())
                            .as(name)
                            .isLessThan(1e-5 * (1 + gradient.norm2Number().doubleValue())));
        }
    }

    @Test
    void where_no_plan_can_run_the_target_says_why() {
        PlainTarget target = new PlainTarget();
        target.reason = "there is no driver";
        try (CompiledEngine engine = engine(EngineOptions.defaults(), target)) {
            assertThat(engine.fallback()).hasValue("there is no driver");
            assertThat(engine.gradients(batch).loss()).isPositive();
            assertThat(engine.fallback()).hasValue("there is no driver");
            assertThat(target.frozen).isEmpty();
        }
        target = new PlainTarget();
        target.reason = "there is no driver";
        try (DecodingSession session =
                new DecodingSession(gpt.graph, "input_ids", gpt.logits, EngineOptions.defaults(), target)) {
            assertThatThrownBy(() -> session.start(gpt.inputs(1, 8, 1)))
                    .isInstanceOf(UncompilableException.class)
                    .hasMessage("there is no driver");
        }
        assertThat(target.isClosed).isTrue();
    }

    @Test
    void the_target_says_whether_automatic_precision_rounds() {
        EngineOptions options =
                EngineOptions.defaults().withPrecision(Precision.AUTO).withPackedWeights(false);
        for (boolean isNative : new boolean[] {true, false}) {
            PlainTarget target = new PlainTarget();
            target.isNative = isNative;
            try (CompiledEngine engine = engine(options, target)) {
                engine.gradients(batch);
                assertThat(engine.weightBytes() > 0).isEqualTo(isNative);
                assertThat(target.frozen.stream().anyMatch(leaf -> leaf.endsWith("@bf16")))
                        .as("rounded weights are frozen, too")
                        .isEqualTo(isNative);
            }
            assertThat(target.isClosed).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "BFLOAT16"})
    void the_target_is_told_of_a_frozen_weight_that_has_changed(Precision precision) {
        PlainTarget target = new PlainTarget();
        try (CompiledEngine engine = engine(EngineOptions.defaults().withPrecision(precision), target)) {
            engine.gradients(batch);
            target.expired.clear();
            engine.gradients(batch);
            assertThat(target.expired).isEmpty();
            String weight = gpt.weights.get(0);
            gpt.graph.getArrForVarName(weight).muli(2);
            engine.gradients(batch);
            assertThat(target.expired).containsExactly(precision == Precision.BFLOAT16 ? weight + "@bf16" : weight);
        }
    }
}
