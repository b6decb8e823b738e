package dev.samediff.adapters.train;

import dev.samediff.adapters.FollowedSites;
import dev.samediff.adapters.PenalizedSites;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SameDiff;

/** Something trainable and more variables of its graph. */
record JointTrainable(Trainable first, List<String> more) implements Trainable {
    @Override
    public SameDiff graph() {
        return first.graph();
    }

    @Override
    public List<String> trainableNames() {
        return Stream.concat(first.trainableNames().stream(), more.stream())
                .distinct()
                .toList();
    }

    @Override
    public Map<String, String> modulePaths() {
        return first.modulePaths();
    }

    @Override
    public List<PenalizedSites> penalties() {
        return first.penalties();
    }

    @Override
    public Map<String, Double> dropouts() {
        return first.dropouts();
    }

    @Override
    public List<FollowedSites> afterSteps() {
        return first.afterSteps();
    }

    @Override
    public void peakLearningRate(double peak) {
        first.peakLearningRate(peak);
    }

    @Override
    public Map<String, String> description() {
        Map<String, String> description = new TreeMap<>(first.description());
        description.put("variables beside it", String.join(", ", more));
        return description;
    }

    @Override
    public void requireActive() {
        first.requireActive();
    }

    @Override
    public boolean meansEveryVariable() {
        return first.meansEveryVariable();
    }
}
