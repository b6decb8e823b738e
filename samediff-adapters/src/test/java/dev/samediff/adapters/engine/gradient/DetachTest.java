package dev.samediff.adapters.engine.gradient;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.graph.GraphAudit;
import dev.samediff.adapters.testing.EveryEngine;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.StopGradient;
import org.nd4j.linalg.factory.Nd4j;

/** No gradient goes through {@code stop_gradient}, in any engine, and what lies behind it need not have one. */
class DetachTest {
    private static SDVariable stopped(SDVariable x) {
        return new StopGradient(x.getSameDiff(), x).outputVariable();
    }

    /** The sum of w [w^2] is w^3 in value and has the gradient w^2, not 3 w^2. */
    @ParameterizedTest
    @EnumSource
    void a_factor_that_is_stopped_is_a_constant(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, 2, 2);
        SDVariable w = graph.var("w", Nd4j.createFromArray(new float[][] {{1, 2}, {-3, 0.5f}}));
        SDVariable seen = w.mul("seen", x);
        seen.mul("product", stopped(graph.math.square("square", seen))).sum().rename("loss");
        graph.setLossVariables("loss");
        try (Engine engine = kind.open(graph, "loss", List.of("w"))) {
            for (int call = 0; call < 2; call++) {
                Engine.Gradients found = engine.gradients(Map.of("x", Nd4j.ones(DataType.FLOAT, 2, 2)));
                INDArray expected = Nd4j.createFromArray(new float[][] {{1, 4}, {9, 0.25f}});
                assertThat(found.loss()).isEqualTo(1 + 8 - 27 + 0.125);
                assertThatBits(found.byName().get("w")).isEqualTo(expected);
            }
        }
    }

    @Test
    void an_op_without_a_right_gradient_may_lie_behind_it() {
        SameDiff graph = SameDiff.create();
        SDVariable w = graph.var("w", Nd4j.ones(DataType.FLOAT, 3, 3));
        SDVariable sums = graph.cumsum(w, false, false, 1);
        w.mul("product", stopped(sums)).sum().rename("loss");
        assertThat(GraphAudit.check(graph, List.of("loss"), List.of("w"))).isEmpty();
        w.mul("other", sums).sum().rename("wrong");
        assertThat(GraphAudit.check(graph, List.of("wrong"), List.of("w"))).isNotEmpty();
    }
}
