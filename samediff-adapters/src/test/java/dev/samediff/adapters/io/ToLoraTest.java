package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.Approximation;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.ToLora;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Every method as a plain LoRA: exactly, and of a smaller rank. */
class ToLoraTest {
    private static INDArray output(AdapterState state) {
        SameDiff graph = TrainedAdapters.graph();
        AdaptedModel.inject(graph, Map.of(), state);
        return TrainedAdapters.output(graph);
    }

    @ParameterizedTest
    @MethodSource("dev.samediff.adapters.io.TrainedAdapters#methods")
    void every_method_is_a_lora_for_the_true_weights(AdapterMethod method) {
        AdapterState state = TrainedAdapters.trained(method, TrainedAdapters.everyTarget());
        INDArray expected = output(state);
        for (AdapterState plain : new AdapterState[] {ToLora.exact(state), ToLora.withScalingInside(state)}) {
            assertThat(plain.sites()).allMatch(AdapterState.Site::startsAtZero);
            assertThat(plain.config().method().name()).isIn("lora", "dora", "lora_bias");
            assertThat(plain.sites().get(0).rank())
                    .isEqualTo(state.sites().get(0).startsAtZero() ? method.rank() : 2 * method.rank());
            assertThat(TrainedAdapters.maxDifference(output(plain), expected)).isLessThan(5e-6);
        }
        assertThat(ToLora.withScalingInside(state).sites()).allMatch(site -> site.scaling() == 1);
        if (method.magnitude().isPresent()) {
            assertThatThrownBy(() -> ToLora.ofRank(state, 1))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("dora");
            return;
        }
        Approximation whole = ToLora.ofRank(state, 2 * method.rank());
        assertThat(whole.error()).isLessThan(1e-6);
        assertThat(TrainedAdapters.maxDifference(output(whole.state()), expected))
                .isLessThan(5e-6);
        Approximation one = ToLora.ofRank(state, 1);
        assertThat(one.error()).isBetween(0.01, 1.0);
        assertThat(one.state().sites()).allMatch(site -> site.rank() == 1);
        assertThat(output(one.state()).shape()).isEqualTo(expected.shape());
    }
}
