package dev.samediff.adapters.train.checkpoint;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.Trainable;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.optimizer.AdamW;
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

/** Saves and restores one training. */
public final class TrainingCheckpoints {
    private final Trainable model;
    private final TrainingPlan plan;
    private final AdamW optimizer;
    private final TrainingState state;
    private final Parameters parameters;
    private @Nullable Path last;

    public TrainingCheckpoints(Trainable model, TrainingPlan plan, AdamW optimizer, TrainingState state) {
        this.model = model;
        this.plan = plan;
        this.optimizer = optimizer;
        this.state = state;
        this.parameters = new Parameters(model);
    }

    /** Writes a checkpoint of now; returns its folder, or nothing if the plan names no directory. */
    public Optional<Path> save() {
        Path directory = plan.checkpointDirectory();
        if (directory == null) {
            return Optional.empty();
        }
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        collect(Checkpoint.PARAMETER, parameters.arrays(), tensors);
        collect(Checkpoint.FIRST_MOMENT, optimizer.firstMoments(), tensors);
        collect(Checkpoint.SECOND_MOMENT, optimizer.secondMoments(), tensors);
        if (state.bestParameters != null) {
            collect(Checkpoint.BEST, state.bestParameters, tensors);
        }
        Checkpoint checkpoint =
                Checkpoint.of(state, optimizer.steps(), plan.description(), model.description(), tensors);
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
        List<INDArray> first = tensors(checkpoint, Checkpoint.FIRST_MOMENT);
        List<INDArray> second = tensors(checkpoint, Checkpoint.SECOND_MOMENT);
        List<INDArray> best = tensors(checkpoint, Checkpoint.BEST);
        parameters.write(values);
        Checkpoint.Progress progress = checkpoint.progress();
        optimizer.restore(progress.optimizerSteps(), first, second);
        state.restore(progress, best.isEmpty() ? null : best);
        last = directory.resolve("checkpoint-" + state.step);
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
            AdamW.requireFloat("`" + name + "` of the checkpoint", tensor);
            values.add(tensor);
        }
        return values;
    }

    /** Says which checkpoint was the last, for messages. */
    public String last() {
        return last == null ? "there is no checkpoint" : "the last checkpoint is " + last;
    }
}
