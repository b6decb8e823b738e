package dev.samediff.adapters.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** That the gradients are right is the engines' contract test. */
class GradientGraphTest {
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void no_gradient_of_a_frozen_weight_is_computed(boolean transposed) {
        TinyGpt gpt = new TinyGpt(16, 2, 2, 11, 3, DataType.FLOAT, transposed);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        SameDiff derived =
                GradientGraph.of(gpt.graph, loss.loss(), gpt.trainables).graph();
        long againstFrozen = derived.getOps().values().stream()
                .filter(op -> op.getOp().opName().equals("matmul_bp"))
                .filter(op -> op.getInputsToOp().subList(0, 2).stream()
                        .anyMatch(in -> derived.getVariable(in).getVariableType() == VariableType.CONSTANT))
                .count();
        assertThat(againstFrozen).isZero();
    }

    @Test
    void nothing_is_differentiated_below_the_first_trainable() {
        TinyGpt gpt = new TinyGpt(16, 3, 2, 11, 3);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        String last = gpt.trainables.get(gpt.trainables.size() - 1);
        int all = GradientGraph.of(gpt.graph, loss.loss(), gpt.trainables)
                .graph()
                .getOps()
                .size();
        SameDiff one = GradientGraph.of(gpt.graph, loss.loss(), List.of(last)).graph();
        assertThat(one.getOps().size() - gpt.graph.getOps().size()).isLessThan(40);
        assertThat(all - gpt.graph.getOps().size()).isGreaterThan(150);
        assertThat(one.getOps().values()).noneMatch(op -> op.getOp().opName().equals("softmax_bp"));
    }

    @Test
    void the_users_graph_stays_as_it_was() {
        TinyGpt gpt = new TinyGpt(8, 1, 2, 5, 2);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        gpt.graph.getVariable(gpt.trainables.get(0)).mean().rename("other");
        gpt.graph.setLossVariables("other");
        gpt.graph.createGradFunction();
        SameDiff own = gpt.graph.getFunction("grad");
        Set<String> ops = Set.copyOf(gpt.graph.getOps().keySet());
        GradientGraph.of(gpt.graph, loss.loss(), gpt.trainables);
        assertThat(gpt.graph.getLossVariables()).containsExactly("other");
        assertThat(gpt.graph.getFunction("grad")).isSameAs(own);
        assertThat(gpt.graph.getOps().keySet()).isEqualTo(ops);
    }

    @Test
    void other_losses_are_not_part_of_it() {
        TinyGpt gpt = new TinyGpt(8, 1, 2, 5, 2);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        SDVariable penalty = gpt.graph.getVariable(gpt.trainables.get(0)).mean();
        penalty.rename("penalty");
        gpt.graph.setLossVariables(loss.loss(), "penalty");
        SameDiff derived =
                GradientGraph.of(gpt.graph, loss.loss(), gpt.trainables).graph();
        assertThat(derived.hasVariable("penalty")).isFalse();
        assertThat(gpt.graph.getLossVariables()).containsExactly(loss.loss(), "penalty");
    }

    @Test
    void names_that_cannot_be_used_are_named() {
        SameDiff sd = SameDiff.create();
        SDVariable w = sd.var("w", Nd4j.ones(2, 2));
        sd.constant("c", Nd4j.ones(2, 2)).mean().rename("constant_loss");
        w.mean().rename("loss");
        assertThatThrownBy(() -> GradientGraph.of(sd, "los", List.of("w")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`los`");
        assertThatThrownBy(() -> GradientGraph.of(sd, "loss", List.of("v"))).hasMessageContaining("`v`");
        assertThatThrownBy(() -> GradientGraph.of(sd, "loss", List.of("c"))).hasMessageContaining("CONSTANT");
        assertThatThrownBy(() -> GradientGraph.of(sd, "loss", List.of())).hasMessageContaining("nothing to train");
        assertThatThrownBy(() -> GradientGraph.of(sd, "constant_loss", List.of("w")))
                .hasMessageContaining("depends on none");
    }
}
