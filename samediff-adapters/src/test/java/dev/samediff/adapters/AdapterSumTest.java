package dev.samediff.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

class AdapterSumTest {
    @TempDir
    Path folder;

    private final TinyGpt gpt = new TinyGpt(16, 1, 2, 19, 0);

    private AdapterState trained(AdapterConfig config) {
        AdaptedModel model = AdaptedModel.inject(SharingCopy.of(gpt.graph), config);
        Map<String, INDArray> values = model.trainables();
        Random random = new Random(config.name().hashCode());
        values.values().forEach(array -> {
            for (long i = 0; i < array.length(); i++) {
                array.putScalar(i, array.getFloat(i) + 0.2 * random.nextGaussian());
            }
        });
        model.restore(values);
        return model.state();
    }

    private Map<String, INDArray> merged(AdapterState state) {
        SameDiff copy = SharingCopy.of(gpt.graph);
        return AdaptedModel.inject(copy, Map.of(), state).mergedWeights();
    }

    private INDArray base(String weight) {
        return gpt.graph.getVariable(weight).getArr();
    }

    @Test
    void the_weight_change_is_the_weighted_sum_of_the_changes_of_all_methods_and_layers() throws IOException {
        AdapterState one = trained(AdapterConfig.of(Lora.rank(2).withAlpha(5)).withName("one"));
        AdapterState two = trained(
                AdapterConfig.of(Pissa.rank(3)).withName("two").withTargets(TargetSelector.suffixes("c_fc", "c_proj")));
        AdapterState three = trained(AdapterConfig.of(Sorsa.rank(2)).withName("three"));
        AdapterState sum = AdapterSum.of(
                "sum",
                List.of(
                        new AdapterSum.Weighted(one, 0.7),
                        new AdapterSum.Weighted(two, -0.4),
                        new AdapterSum.Weighted(three, 1.5)));
        AdapterFolder.save(sum, folder.resolve("sum"));
        AdapterState loaded = AdapterFolder.load(folder.resolve("sum"), "other");
        assertThat(loaded.config().name()).isEqualTo("other");
        assertThat(sum.sites()).extracting(AdapterState.Site::rank).contains(2 + 2 * 2, 2 + 2 * 3 + 2 * 2);

        Map<String, INDArray> found = merged(loaded);
        Map<String, INDArray> first = merged(one);
        Map<String, INDArray> second = merged(two);
        Map<String, INDArray> third = merged(three);
        assertThat(found.keySet()).containsExactlyInAnyOrderElementsOf(first.keySet());
        for (String weight : found.keySet()) {
            INDArray expected = first.get(weight).sub(base(weight)).mul(0.7);
            expected.addi(third.get(weight).sub(base(weight)).mul(1.5));
            if (second.containsKey(weight)) {
                expected.addi(second.get(weight).sub(base(weight)).mul(-0.4));
            }
            INDArray actual = found.get(weight).sub(base(weight));
            assertThat(actual.sub(expected).amaxNumber().doubleValue())
                    .as(weight)
                    .isLessThan(1e-5 * expected.amaxNumber().doubleValue() + 1e-6);
        }
    }

    @Test
    void what_has_no_sum_is_refused() {
        AdapterState one = trained(AdapterConfig.of(Lora.rank(2)).withName("one"));
        AdapterState whole =
                trained(AdapterConfig.of(Lora.rank(2)).withName("whole").withBias(WholeTensors.Bias.LORA_ONLY));
        gpt.graph.getVariable(gpt.weights.get(0)).getArr().muli(2);
        AdapterState other = trained(AdapterConfig.of(Lora.rank(2)).withName("other"));
        assertRefused("no adapters");
        assertRefused("finite", new AdapterSum.Weighted(one, Double.NaN));
        assertRefused("`whole` trains", new AdapterSum.Weighted(one, 1), new AdapterSum.Weighted(whole, 1));
        assertRefused("other base weights", new AdapterSum.Weighted(one, 1), new AdapterSum.Weighted(other, 1));
    }

    private static void assertRefused(String part, AdapterSum.Weighted... summands) {
        assertThatThrownBy(() -> AdapterSum.of("sum", List.of(summands)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(part);
    }
}
