package dev.samediff.adapters.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** A layer that the targets seem to mean and that is not adapted is never left out in silence. */
class LeftOutTest {
    private final SameDiff graph = SameDiff.create();
    private SDVariable x =
            graph.gather("e", weight("transformer.wte.weight", 5, 4), graph.placeHolder("ids", DataType.INT, -1), 0);

    private SDVariable weight(String name, long... shape) {
        return graph.constant(name, Nd4j.rand(DataType.FLOAT, shape));
    }

    private void linear(String module) {
        x = x.mmul(weight(module + ".weight", 4, 4));
    }

    /** A weight on the left is no linear layer. */
    private void impossible(String module) {
        x = graph.mmul(weight(module + ".weight", 4, 4), graph.transpose(x)).permute(1, 0);
    }

    private List<String> leftOut(TargetSelector selector) {
        return LeftOut.of(selector, AdaptableLayers.of(graph, Map.of())).stream()
                .map(LinearLayers.Rejected::module)
                .toList();
    }

    @Test
    void all_linear_leaves_out_what_it_cannot_adapt_heads_and_embeddings() {
        linear("h.0.q");
        impossible("h.0.ff");
        linear("lm_head");
        assertThat(leftOut(TargetSelector.allLinear()))
                .containsExactlyInAnyOrder("h.0.ff", "transformer.wte", "lm_head");
        assertThat(leftOut(TargetSelector.allLinear().withHead()))
                .containsExactlyInAnyOrder("h.0.ff", "transformer.wte");
    }

    @Test
    void what_the_selector_excludes_itself_was_not_left_out() {
        linear("m.h.0.q");
        impossible("m.h.0.ff");
        impossible("m.h.1.ff");
        assertThat(leftOut(TargetSelector.allLinear().layers(0))).containsExactly("m.h.0.ff");
        assertThat(leftOut(TargetSelector.allLinear().excluding(ModuleMatch.regex("m\\.h\\.1\\..*"))))
                .containsExactlyInAnyOrder("m.h.0.ff", "transformer.wte");
    }

    @Test
    void names_and_expressions_leave_out_only_what_they_match_and_cannot_adapt() {
        linear("h.0.ff");
        linear("h.0.q");
        impossible("h.1.ff");
        impossible("h.1.q");
        assertThat(leftOut(TargetSelector.suffixes("ff"))).containsExactly("h.1.ff");
        assertThat(leftOut(TargetSelector.regex("h\\.\\d\\.q"))).containsExactly("h.1.q");
        assertThat(leftOut(TargetSelector.suffixes("h.0.q"))).isEmpty();
    }

    @Test
    void a_tied_table_that_is_chosen_as_an_embedding_is_not_left_out_as_a_head() {
        linear("h.0.q");
        graph.mmul("logits", x, graph.getVariable("transformer.wte.weight"), false, true, false);
        assertThat(leftOut(TargetSelector.suffixes("wte"))).isEmpty();
        assertThat(leftOut(TargetSelector.allLinear())).contains("transformer.wte");
    }

    @Test
    void the_reasons_are_in_the_message_if_nothing_is_chosen() {
        impossible("h.0.ff");
        linear("lm_head");
        assertThatThrownBy(() -> TargetSelector.allLinear().select(AdaptableLayers.of(graph, Map.of())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll(
                        "all-linear choose no layer",
                        "`h.0.ff` (it is the left operand",
                        "`lm_head` (it is an output head",
                        "withHead()",
                        "`transformer.wte` (embeddings are adapted only if they are named)");
    }

    @Test
    void the_reasons_are_in_the_summary_if_something_is_chosen() {
        linear("h.0.q");
        impossible("h.0.ff");
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        assertThat(model.summary())
                .contains("left out by `default`: `h.0.ff`, because it is the left operand of the matmul")
                .contains("left out by `default`: `transformer.wte`, because embeddings");
        assertThat(model.leftOut().get("default"))
                .extracting(LinearLayers.Rejected::module)
                .containsExactlyInAnyOrder("h.0.ff", "transformer.wte");
        model.add(AdapterConfig.of(Lora.rank(2)).withName("q").withTargets(TargetSelector.suffixes("q")));
        model.activate("q");
        assertThat(model.summary()).doesNotContain("left out").contains("h.0.q");
    }
}
