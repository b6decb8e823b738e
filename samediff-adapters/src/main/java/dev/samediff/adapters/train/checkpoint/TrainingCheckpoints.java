package dev.samediff.adapters.train.checkpoint;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.Trainable;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.optimizer.AfterSteps;
import dev.samediff.adapters.train.optimizer.Optimizer;
import dev.samediff.adapters.train.optimizer.Parameters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Saves and restores one training. */
public final class TrainingCheckpoints {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingCheckpoints.class);

    private final Trainable model;
    private final TrainingPlan plan;
    private final Optimizer optimizer;
    private final TrainingState state;
    private final Parameters parameters;
    private final AfterSteps followers;
    private Map<String, String> data = Map.of();
    private @Nullable Checkpoint resumed;
    private @Nullable Path last;

    public TrainingCheckpoints(
            Trainable model, TrainingPlan plan, Optimizer optimizer, TrainingState state, AfterSteps followers) {
        this.model = model;
        this.plan = plan;
        this.optimizer = optimizer;
        this.state = state;
        this.parameters = new Parameters(model);
        this.followers = followers;
    }

    /** Writes a checkpoint of now; returns its folder, or nothing if the plan names no directory. */
    public Optional<Path> save() {
        Path directory = plan.checkpointDirectory();
        if (directory == null) {
            return Optional.empty();
        }
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        collect(Checkpoint.PARAMETER, parameters.arrays(), tensors);
        optimizer
                .kept()
                .forEach(kept -> tensors.put(
                        Checkpoint.key(kept.kind(), model.trainableNames().get(kept.parameter())), kept.array()));
        if (state.bestParameters != null) {
            collect(Checkpoint.BEST, state.bestParameters, tensors);
        }
        followers.state().forEach((name, array) -> tensors.put(Checkpoint.key(Checkpoint.FOLLOWER, name), array));
        Checkpoint checkpoint =
                Checkpoint.of(state, optimizer.steps(), plan.description(), model.description(), data, tensors);
        try {
            last = new CheckpointFolder(directory).save(state.step, plan.checkpointsKept(), checkpoint::write);
            return Optional.of(last);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /**
     * Removes the checkpoints in a directory, before a training that starts anew; files that are not ours stay.
     *
     * @throws IOException if they cannot be removed
     */
    public static void clear(Path directory) throws IOException {
        new CheckpointFolder(directory).clear();
    }

    private void collect(String kind, List<INDArray> values, Map<String, INDArray> tensors) {
        for (int i = 0; i < values.size(); i++) {
            tensors.put(Checkpoint.key(kind, model.trainableNames().get(i)), values.get(i));
        }
    }

    /** Takes over the newest usable checkpoint in a directory. */
    public void restore(Path directory) {
        Checkpoint checkpoint;
        try {
            checkpoint = new CheckpointFolder(directory).newest();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + directory + ": " + e.getMessage(), e);
        }
        checkpoint.requireSame(plan.description(), model.description());
        List<INDArray> values = tensors(checkpoint, Checkpoint.PARAMETER);
        List<INDArray> best = tensors(checkpoint, Checkpoint.BEST);
        parameters.write(values);
        Checkpoint.Progress progress = checkpoint.progress();
        followers.restore(checkpoint.tensors(Checkpoint.FOLLOWER));
        optimizer.restore(
                progress.optimizerSteps(),
                (kind, parameter) ->
                        tensor(checkpoint, kind, model.trainableNames().get(parameter)));
        state.restore(progress, best.isEmpty() ? null : best);
        resumed = checkpoint;
        last = directory.resolve("checkpoint-" + state.step);
    }

    /**
     * Says what the batches of the run that starts now depend on.
     *
     * @param description what checkpoints will say
     * @throws InvalidInputException if a checkpoint was restored that was made with other data
     */
    public void use(Map<String, String> description) {
        data = Map.copyOf(description);
        Checkpoint from = resumed;
        if (from != null) {
            if (from.progress().data() == null) {
                LOG.warn(
                        "the checkpoint of step {} is of an earlier version and does not say which data it was made with;"
                                + " whether this is the same data is not checked",
                        from.progress().step());
            }
            from.requireSameData(data);
        }
    }

    /** Tells whether the present run goes on from a checkpoint; asked when it has started. */
    public boolean isResumed() {
        return resumed != null;
    }

    /** Says that the run has started: what comes is no longer compared with the checkpoint it went on from. */
    public void started() {
        resumed = null;
    }

    private static @Nullable INDArray tensor(Checkpoint checkpoint, String kind, String name) {
        INDArray found = checkpoint.tensors().get(Checkpoint.key(kind, name));
        if (found != null) {
            Optimizer.requireFloat("`" + name + "` of the checkpoint", found);
        }
        return found;
    }

    /** Returns the tensors of a kind in the order of the trainables; none where the kind was not saved. */
    private List<INDArray> tensors(Checkpoint checkpoint, String kind) {
        List<INDArray> values = new ArrayList<>();
        for (String name : model.trainableNames()) {
            INDArray tensor = checkpoint.tensors().get(Checkpoint.key(kind, name));
            INDArray parameter = model.graph().getArrForVarName(name);
            if (tensor == null) {
                if (values.isEmpty() && !kind.equals(Checkpoint.PARAMETER)) {
                    return List.of();
                }
                throw new InvalidInputException("the checkpoint has no `" + Checkpoint.key(kind, name)
                        + "`; it belongs to a model with other trainable variables");
            }
            if (!Arrays.equals(tensor.shape(), parameter.shape())) {
                throw new InvalidInputException("`" + name + "` has the shape " + Arrays.toString(parameter.shape())
                        + ", in the checkpoint " + Arrays.toString(tensor.shape()));
            }
            Optimizer.requireFloat("`" + name + "` of the checkpoint", tensor);
            values.add(tensor);
        }
        return values;
    }

    /** Says which checkpoint was the last, for messages. */
    public String last() {
        return last == null ? "there is no checkpoint" : "the last checkpoint is " + last;
    }
}
