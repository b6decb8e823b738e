package dev.samediff.tuning.pruning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.ParameterValues;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PruningTest {
    private static final List<TrialResult> THREE =
            List.of(complete(0, 5, 4, 3), complete(1, 6, 5, 4), complete(2, 7, 6, 5));

    @Test
    void the_median_of_completed_trials_at_the_same_step_decides() {
        Pruning median = new Pruning.Median(3, 0);
        assertThat(median.isHopeless(curve(6.1), THREE)).isTrue();
        assertThat(median.isHopeless(curve(6.0), THREE)).isFalse();
        assertThat(median.isHopeless(curve(9, 5.1), THREE)).isTrue();
        assertThat(median.isHopeless(curve(4.9, 9), THREE))
                .as("its best value counts")
                .isFalse();
    }

    @Test
    void the_median_waits_for_enough_trials_and_steps() {
        assertThat(new Pruning.Median(4, 0).isHopeless(curve(9), THREE)).isFalse();
        assertThat(new Pruning.Median(3, 2).isHopeless(curve(9), THREE)).isFalse();
        assertThat(new Pruning.Median(3, 2).isHopeless(curve(9, 9), THREE)).isTrue();
        assertThat(new Pruning.Median(3, 0).isHopeless(LearningCurve.EMPTY, THREE))
                .isFalse();
        List<TrialResult> pruned = THREE.stream().map(PruningTest::pruned).toList();
        assertThat(new Pruning.Median(3, 0).isHopeless(curve(9), pruned))
                .as("none is complete")
                .isFalse();
    }

    @Test
    void asha_lets_the_best_of_each_rung_go_on() {
        Pruning asha = new Pruning.Asha(1, 3);
        List<TrialResult> five = new ArrayList<>(THREE);
        five.add(complete(3, 8, 1));
        five.add(pruned(complete(4, 9)));
        assertThat(asha.isHopeless(curve(5.5), five))
                .as("second of six, two go on")
                .isFalse();
        assertThat(asha.isHopeless(curve(6.5), five)).as("third of six").isTrue();
        assertThat(asha.isHopeless(curve(1, 9), five)).as("step 2 is no rung").isFalse();
        assertThat(asha.isHopeless(curve(1, 1, 4.5), five))
                .as("third of four at step 3")
                .isTrue();
        assertThat(asha.isHopeless(curve(99), List.of()))
                .as("nobody to compare with")
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "median:5:10", "asha:10:3"})
    void rules_are_read_as_they_are_written(String text) {
        assertThat(Pruning.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "median", "median:0:1", "median:x:1", "asha:0:3", "asha:1:1", "asha:1:2:3", "hyperband"})
    void unknown_rules_are_refused(String text) {
        assertThatThrownBy(() -> Pruning.parse(text)).isInstanceOf(InvalidInputException.class);
    }

    private static LearningCurve curve(double... values) {
        List<LearningCurve.Point> points = new ArrayList<>();
        for (double value : values) {
            points.add(new LearningCurve.Point(points.size() + 1, value));
        }
        return new LearningCurve(points);
    }

    private static TrialResult complete(int index, double... values) {
        return new TrialResult(
                index,
                new ParameterValues(Map.of()),
                TrialState.COMPLETE,
                values[values.length - 1],
                1,
                1,
                curve(values),
                "");
    }

    private static TrialResult pruned(TrialResult trial) {
        return new TrialResult(
                trial.index(), trial.parameters(), TrialState.PRUNED, trial.score(), 1, 1, trial.curve(), "");
    }
}
