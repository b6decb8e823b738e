package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.graph.Dropout;
import dev.samediff.adapters.graph.EmbeddingNoise;
import dev.samediff.adapters.train.checkpoint.TrainingCheckpoints;
import dev.samediff.adapters.train.checkpoint.TrainingState;
import dev.samediff.adapters.train.optimizer.AfterSteps;
import dev.samediff.adapters.train.optimizer.GradientSum;
import dev.samediff.adapters.train.optimizer.Optimizer;
import dev.samediff.adapters.train.optimizer.Parameters;
import dev.samediff.adapters.train.optimizer.PenaltyTerm;
import dev.samediff.adapters.train.optimizer.Slope;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** The updates of a run: from batches to the next values of the parameters. */
final class Updates {
    /** Far above what anybody trains with. */
    private static final double ORDINARY_RATE = 1;
    /** From here on, squares and products of the size leave float32's range. */
    private static final double LARGE = 1e18;

    private final Trainable model;
    private final TrainingPlan plan;
    private final Feed feed;
    private final Engine engine;
    private final Optimizer optimizer;
    private final Parameters parameters;
    private final TrainingCheckpoints checkpoints;
    private final TrainingState state;
    private final PenaltyTerm penalty;
    private final AfterSteps followers;
    private final @Nullable EmbeddingNoise noise;
    private double labels;
    private int epochEnds;

    Updates(
            Trainable model,
            TrainingPlan plan,
            Feed feed,
            Engine engine,
            Optimizer optimizer,
            Parameters parameters,
            TrainingCheckpoints checkpoints,
            TrainingState state,
            AfterSteps followers,
            @Nullable EmbeddingNoise noise) {
        this.model = model;
        this.plan = plan;
        this.feed = feed;
        this.engine = engine;
        this.optimizer = optimizer;
        this.parameters = parameters;
        this.checkpoints = checkpoints;
        this.state = state;
        this.followers = followers;
        this.noise = noise;
        this.penalty = new PenaltyTerm(model, plan.peak());
    }

    /**
     * Makes one.
     *
     * @param batches where to take the batches
     * @param total updates of the whole run
     */
    StepReport next(BatchStream batches, int total) {
        long start = System.nanoTime();
        parameters.requireSame();
        model.requireActive();
        Nd4j.getRandom().setSeed(plan.seed() * 1_000_003L + state.step);
        GradientSum sum = accumulate(batches);
        try (PenaltyTerm.At term = penalty.evaluate()) {
            double norm = optimizer.norm(plan.clipPenalty() ? sum.mean().plus(term) : sum.mean());
            requireFinite("task loss", sum.loss());
            requireFinite("gradient norm", norm);
            requireFinite("penalty", term.value());
            double clipping = GradientSum.clipping(norm, plan.clipNorm());
            Slope slope = plan.clipPenalty()
                    ? sum.mean().plus(term).times(clipping)
                    : sum.mean().times(clipping).plus(term);
            followers.correct(optimizer);
            double learningRate = plan.learningRate(state.step - state.runStart, total);
            if (mayLeaveRange(learningRate) || norm > LARGE || Math.abs(term.value()) > LARGE) {
                parameters.keep();
            }
            boolean finite;
            try (AfterSteps.Gradients used = followers.gradients(optimizer, slope)) {
                finite = optimizer.update(parameters.arrays(), slope, learningRate);
                state.step++;
                followers.updated(state.step - state.runStart, used);
            }
            parameters.written();
            if (!finite || (followers.act() && !parameters.areFinite())) {
                throw notFinite(learningRate);
            }
            state.epoch = batches.epoch();
            state.position = batches.position();
            state.batches = batches.checksum();
            state.losses.add(sum.loss());
            return new StepReport(
                    state.step,
                    sum.loss(),
                    term.value(),
                    learningRate,
                    norm,
                    sum.tokens(),
                    (System.nanoTime() - start) / 1e9,
                    term.deviation());
        }
    }

    private GradientSum accumulate(BatchStream batches) {
        GradientSum sum = new GradientSum(model.trainableNames(), optimizer);
        int count = 0;
        while (count < plan.accumulation()) {
            MultiDataSet batch = batches.next();
            if (batch != null) {
                Map<String, INDArray> placeholders = feed.placeholders(batch);
                double weight = feed.weight(placeholders);
                drop(placeholders, count);
                labels += weight;
                sum.add(engine.gradients(placeholders), weight);
                count++;
            } else {
                if (++epochEnds > 1) { // a whole epoch is over
                    requireLabels();
                }
                if (count > 0) {
                    break;
                }
            }
        }
        return sum;
    }

    /** Feeds noise and the draws of dropout, which depend on the seed, the update and the batch of it alone: a resumed run has the same. */
    private void drop(Map<String, INDArray> placeholders, int part) {
        EmbeddingNoise embeddings = noise;
        if (embeddings != null) {
            long[] shape =
                    Objects.requireNonNull(placeholders.get(embeddings.ids())).shape();
            placeholders.put(embeddings.fed(), embeddings.draw(shape, plan.neftune(), plan.seed(), state.step, part));
        }
        model.dropouts()
                .forEach((adapter, rate) ->
                        placeholders.put(Dropout.drawOf(adapter), Dropout.draw(rate, plan.seed(), state.step, part)));
    }

    /**
     * Refuses a run without any label.
     *
     * @throws InvalidInputException if no label has counted so far, and there is no penalty either
     */
    void requireLabels() {
        if (labels == 0 && model.penalties().isEmpty() && state.losses.stream().allMatch(loss -> loss == 0)) {
            throw new InvalidInputException(
                    "no label of the training data counts, so training changes nothing: all label masks"
                            + " are 0 up to step " + state.step + "; give masks that are above 0 where a label counts");
        }
    }

    /**
     * Whether an update could make a parameter NaN or infinite where loss and gradients are finite. One of AdamW is of the learning
     * rate's size: with an ordinary one the loss leaves float32's range long before a parameter does, and no copy of the parameters is
     * kept for a case that does not occur.
     */
    private boolean mayLeaveRange(double learningRate) {
        return learningRate * Math.max(1, plan.weightDecay()) > ORDINARY_RATE
                || plan.updater() != null
                || followers.act();
    }

    /** Undoes an update after which a parameter is no number: the run stands where it stood before it. */
    private NonFiniteException notFinite(double learningRate) {
        String name = parameters.firstNotFinite();
        boolean undone = parameters.undo();
        int step = state.step--;
        state.isUndone = true;
        return new NonFiniteException("the update of step " + step + " made numbers of `" + name + "` NaN or infinite; "
                + (undone ? "the parameters are those of step " + state.step + " and " : "the parameters are lost; ")
                + checkpoints.last() + ". Lower the learning rate (" + learningRate + " in this step)"
                + (plan.weightDecay() > 0 ? ", the weight decay (" + plan.weightDecay() + ")" : "")
                + (model.penalties().isEmpty() ? "" : ", the factor of the penalty")
                + (plan.clipNorm() > 0 ? "" : ", or clip gradients"));
    }

    private void requireFinite(String what, double value) {
        if (!Double.isFinite(value)) {
            throw new NonFiniteException("the " + what + " of step " + (state.step + 1) + " is " + value + "; "
                    + (state.step == 0
                            ? "nothing was learned yet: look at the first batch, at the alpha of the adapters and at the"
                                    + " numbers of the model"
                            : "the parameters are those of step " + state.step + " and " + checkpoints.last()
                                    + ". Lower the learning rate (" + plan.learningRate() + ") or look at the batch"));
        }
    }
}
