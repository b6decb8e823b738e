package dev.samediff.tuning.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class BaseModelsTest {
    private static final List<String> WEIGHTS = List.of("first.weight", "second.weight", "head.weight");

    private static float[] logits(SameDiff graph) {
        return graph.outputSingle(
                        Map.of("x", Nd4j.linspace(DataType.FLOAT, -1, 0.05, 48).reshape(4, 12)), "logits")
                .dup()
                .data()
                .asFloat();
    }

    @Test
    void nothing_that_is_done_to_one_graph_is_seen_by_the_others() {
        SameDiff base = Classifier.graph();
        float[] expected = logits(base);
        BaseModels models = new BaseModels(base, Map.of());
        SameDiff one = models.borrow();
        SameDiff two = models.borrow();
        AdaptedModel model =
                AdaptedModel.inject(one, AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes("first")));
        model.add(AdapterConfig.of(Pissa.rank(3)).withName("second").withTargets(TargetSelector.suffixes("second")));
        model.activate("default", "second");
        Map<String, INDArray> moved = new LinkedHashMap<>();
        model.trainables().forEach((name, value) -> moved.put(name, value.add(0.5)));
        model.restore(moved);
        for (Runnable operation :
                List.<Runnable>of(model::merge, model::unmerge, () -> model.remove("default"), model::merge)) {
            operation.run();
            assertThat(logits(one)).isNotEqualTo(expected);
            assertThat(logits(two)).isEqualTo(expected);
            assertThat(logits(base)).isEqualTo(expected);
        }
        models.giveBack(model.unload());
        SameDiff again = models.borrow();
        assertThat(again).isSameAs(one);
        assertThat(logits(again)).isEqualTo(expected);
        WEIGHTS.forEach(name -> assertThat(again.getArrForVarName(name) == base.getArrForVarName(name))
                .as("%s is shared again", name)
                .isTrue());
    }
}
