package dev.samediff.adapters.train;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.nd4j.autodiff.samediff.SameDiff;

/** The active adapters of a model. */
final class AdaptedTrainable implements Trainable {
    private final AdaptedModel model;

    AdaptedTrainable(AdaptedModel model, TaskLoss loss) {
        this.model = model;
        model.useLoss(loss.loss());
    }

    @Override
    public SameDiff graph() {
        return model.graph();
    }

    @Override
    public List<String> trainableNames() {
        return model.trainableNames();
    }

    @Override
    public Optional<Penalty> penalty() {
        return model.penalty();
    }

    @Override
    public List<Map<String, String>> penaltySites() {
        return model.penaltySites();
    }

    @Override
    public void peakLearningRate(double peak) {
        model.peakLearningRate(peak);
    }

    @Override
    public Map<String, String> description() {
        AdapterState state = model.state();
        Map<String, String> description = new TreeMap<>();
        description.put("adapters", String.join(", ", model.activeAdapterNames()));
        description.put("base model", state.baseHash());
        description.put("method", state.config().method().toString());
        description.put("adapter seed", Long.toString(state.config().seed()));
        return description;
    }
}
