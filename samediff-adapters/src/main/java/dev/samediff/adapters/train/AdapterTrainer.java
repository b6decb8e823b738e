package dev.samediff.adapters.train;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.Usage;
import dev.samediff.adapters.engine.compiled.Targets;
import dev.samediff.adapters.graph.GraphAudit;
import dev.samediff.adapters.train.checkpoint.TrainingCheckpoints;
import dev.samediff.adapters.train.checkpoint.TrainingState;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.AdamW;
import dev.samediff.adapters.train.optimizer.GradientSum;
import dev.samediff.adapters.train.optimizer.Parameters;
import dev.samediff.adapters.train.optimizer.PenaltyTerm;
import dev.samediff.adapters.train.optimizer.Slope;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Trains adapters, or any variables of a graph, with AdamW.
 *
 * <p>One update: the gradients of {@code accumulation} batches, weighted by labelled tokens; clipping of their global
 * norm; the penalty's gradient times gamma / eta_max (SORSA, equation 10); AdamW at the scheduled learning rate. The
 * reported loss is the task's alone. Plain {@code SameDiff.fit} on the same graph goes the same way, without clipping,
 * accumulation, AdamW, schedules and a true loss.
 *
 * <pre>{@code
 * TaskLoss loss = Losses.causalLm(model.graph(), "logits");
 * TrainingPlan plan = TrainingPlan.builder().steps(200).learningRate(3e-3).build();
 * new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids")).fit(train, evaluation);
 * }</pre>
 */
public final class AdapterTrainer implements AutoCloseable {
    private final Trainable model;
    private final TaskLoss loss;
    private final TrainingPlan plan;
    private final Binding inputs;
    private final Engine engine;
    private final AdamW optimizer;
    private final TrainingState state = new TrainingState();
    private final Parameters parameters;
    private final TrainingCheckpoints checkpoints;
    private final Usage usage = new Usage("trainer", "a trainer is used by one thread, create another one");
    private @Nullable PenaltyTerm penalty;
    private volatile boolean stopRequested;

    /**
     * Creates a trainer for the active adapters of a model; the loss and their penalties become the graph's loss
     * variables.
     *
     * @param model the model
     * @param loss the task loss in its graph
     * @param plan how to train
     * @param inputs which arrays of a data set feed which placeholders
     */
    public AdapterTrainer(AdaptedModel model, TaskLoss loss, TrainingPlan plan, Binding inputs) {
        this(prepared(model, loss, plan.engine()), loss, plan, inputs);
    }

    /** Gives memory back that no step needs, before an engine holds the weights. */
    private static Trainable prepared(AdaptedModel model, TaskLoss loss, EngineOptions options) {
        Path directory = options.weightsDirectory();
        if (directory != null) {
            model.keepWeightsInFile(directory, Targets.roundsWeights(options));
        }
        return new AdaptedTrainable(model, loss);
    }

    /**
     * Creates a trainer that executes steps as the plan says.
     *
     * @param model what to train
     * @param loss the task loss in its graph
     * @param plan how to train
     * @param inputs which arrays of a data set feed which placeholders
     */
    public AdapterTrainer(Trainable model, TaskLoss loss, TrainingPlan plan, Binding inputs) {
        this(
                model,
                loss,
                plan,
                inputs,
                Engines.open(model.graph(), loss.loss(), model.trainableNames(), plan.engine()));
    }

    /**
     * Creates a trainer on a given engine, which is closed with the trainer.
     *
     * @param model what to train
     * @param loss the task loss in its graph
     * @param plan how to train
     * @param inputs which arrays of a data set feed which placeholders
     * @param engine an engine on the model's graph, this loss and the model's trainables
     */
    public AdapterTrainer(Trainable model, TaskLoss loss, TrainingPlan plan, Binding inputs, Engine engine) {
        inputs.check(model.graph());
        GraphAudit.requireSafe(model.graph(), List.of(loss.loss()), model.trainableNames());
        this.model = model;
        this.loss = loss;
        this.plan = plan;
        this.inputs = inputs;
        this.engine = engine;
        this.parameters = new Parameters(model);
        parameters.requireFloat();
        this.optimizer = AdamW.of(plan, parameters.arrays());
        this.checkpoints = new TrainingCheckpoints(model, plan, optimizer, state);
    }

    /**
     * Trains as planned. A trainer is used once.
     *
     * @param train training data, reset at the start of every epoch
     * @param evaluation evaluation data, or null; evaluated at the start, as planned, and at the end
     * @param listeners are told how it goes
     * @throws NonFiniteException if a loss or gradient is not finite; the parameters are those of the last good step
     * @throws IllegalStateException if the trainer is closed, or another thread uses it
     */
    public TrainingResult fit(
            MultiDataSetIterator train, @Nullable MultiDataSetIterator evaluation, TrainingListener... listeners) {
        return usage.during(() -> train(train, evaluation, listeners));
    }

    private TrainingResult train(
            MultiDataSetIterator train, @Nullable MultiDataSetIterator evaluation, TrainingListener... listeners) {
        long start = System.nanoTime();
        parameters.requireSame();
        model.peakLearningRate(plan.peak());
        penalty = new PenaltyTerm(model, plan.peak());
        BatchStream batches = new BatchStream(train);
        int total = totalSteps(batches);
        batches.seek(state.epoch, state.position);
        List<TrainingListener> audience = List.of(listeners);
        audience.forEach(listener -> listener.onStart(plan, total, state.step));
        if (evaluation != null && state.evaluations.isEmpty()) {
            evaluateNow(evaluation, audience);
        }
        TrainingResult.Reason reason = TrainingResult.Reason.COMPLETED;
        while (state.step < total) {
            StepReport report = update(batches, total);
            audience.forEach(listener -> listener.onStep(report));
            boolean last = state.step == total;
            if (evaluation != null && (last || isDue(plan.evaluateEvery()))) {
                evaluateNow(evaluation, audience);
                if (plan.patience() > 0 && state.evaluationsWithoutImprovement >= plan.patience()) {
                    reason = TrainingResult.Reason.STOPPED_EARLY;
                    last = true;
                }
            }
            if (stopRequested && !last) {
                reason = TrainingResult.Reason.INTERRUPTED;
            }
            boolean due = plan.checkpointEvery() > 0 && (last || isDue(plan.checkpointEvery()));
            if (due || reason == TrainingResult.Reason.INTERRUPTED) {
                checkpoint(audience);
            }
            if (reason != TrainingResult.Reason.COMPLETED) {
                break;
            }
        }
        if (plan.restoreBest() && state.bestParameters != null) {
            parameters.write(state.bestParameters);
        }
        TrainingResult result =
                new TrainingResult(state.step, state.losses, state.evaluations, reason, secondsSince(start));
        engine.report().ifPresent(report -> audience.forEach(listener -> listener.onExecution(report)));
        audience.forEach(listener -> listener.onEnd(result));
        return result;
    }

    /**
     * Asks for the end of the training after the update that is being made; a checkpoint is written then, if the plan names a
     * directory, from which {@link #resume} goes on. The one method that any thread may call while {@link #fit} runs.
     */
    public void stop() {
        stopRequested = true;
    }

    private int totalSteps(BatchStream batches) {
        if (plan.steps() > 0) {
            return plan.steps();
        }
        int perEpoch = (batches.countBatches() + plan.accumulation() - 1) / plan.accumulation();
        return Math.multiplyExact(plan.epochs(), perEpoch);
    }

    private boolean isDue(int interval) {
        return interval > 0 && state.step % interval == 0;
    }

    private StepReport update(BatchStream batches, int total) {
        long start = System.nanoTime();
        parameters.requireSame();
        Nd4j.getRandom().setSeed(plan.seed() * 1_000_003L + state.step);
        GradientSum sum = accumulate(batches);
        try (PenaltyTerm.At term = penalty == null ? PenaltyTerm.At.NOTHING : penalty.evaluate()) {
            double norm = optimizer.norm(plan.clipPenalty() ? sum.mean().plus(term) : sum.mean());
            requireFinite("task loss", sum.loss());
            requireFinite("gradient norm", norm);
            requireFinite("penalty", term.value());
            double clipping = GradientSum.clipping(norm, plan.clipNorm());
            Slope slope = plan.clipPenalty()
                    ? sum.mean().plus(term).times(clipping)
                    : sum.mean().times(clipping).plus(term);
            double learningRate = plan.learningRate(state.step, total);
            optimizer.update(parameters.arrays(), slope, learningRate);
            parameters.written();
            state.step++;
            state.epoch = batches.epoch();
            state.position = batches.position();
            state.losses.add(sum.loss());
            return new StepReport(
                    state.step, sum.loss(), term.value(), learningRate, norm, sum.tokens(), secondsSince(start));
        }
    }

    private GradientSum accumulate(BatchStream batches) {
        GradientSum sum = new GradientSum(model.trainableNames(), optimizer);
        int count = 0;
        while (count < plan.accumulation()) {
            MultiDataSet batch = batches.next();
            if (batch != null) {
                Map<String, INDArray> placeholders = inputs.placeholders(batch);
                sum.add(engine.gradients(placeholders), inputs.tokens(placeholders));
                count++;
            } else if (count > 0) {
                break;
            }
        }
        return sum;
    }

    private void requireFinite(String what, double value) {
        if (!Double.isFinite(value)) {
            throw new NonFiniteException("the " + what + " of step " + (state.step + 1) + " is " + value
                    + "; the parameters are those of step " + state.step + " and " + checkpoints.last()
                    + ". Lower the learning rate (" + plan.learningRate() + ") or look at the batch");
        }
    }

    /**
     * Computes the task loss over data with the current parameters: the mean over all labelled tokens.
     *
     * @param data the data; reset first
     */
    public Evaluation evaluate(MultiDataSetIterator data) {
        return usage.during(() -> mean(data));
    }

    private Evaluation mean(MultiDataSetIterator data) {
        if (data.resetSupported()) {
            data.reset();
        }
        double sum = 0;
        long tokens = 0;
        while (data.hasNext()) {
            Map<String, INDArray> placeholders = inputs.placeholders(data.next());
            long count = inputs.tokens(placeholders);
            INDArray value = engine.outputs(placeholders, List.of(loss.loss()))
                    .values()
                    .iterator()
                    .next();
            sum += count == 0 ? 0 : value.getDouble(0) * count;
            tokens += count;
        }
        double mean = tokens == 0 ? Double.NaN : sum / tokens;
        return new Evaluation(state.step, mean, tokens, mean < state.bestLoss);
    }

    private void evaluateNow(MultiDataSetIterator data, List<TrainingListener> audience) {
        Evaluation evaluation = evaluate(data);
        state.evaluations.add(evaluation);
        if (evaluation.loss() < state.bestLoss - plan.minDelta()) {
            state.evaluationsWithoutImprovement = 0;
        } else {
            state.evaluationsWithoutImprovement++;
        }
        if (evaluation.best()) {
            state.bestLoss = evaluation.loss();
            state.bestParameters = plan.restoreBest() ? parameters.read() : null;
        }
        audience.forEach(listener -> listener.onEvaluation(evaluation));
    }

    private void checkpoint(List<TrainingListener> audience) {
        checkpoints.save().ifPresent(saved -> audience.forEach(listener -> listener.onCheckpoint(state.step, saved)));
    }

    /**
     * Continues where the newest usable checkpoint in a directory was made; {@link #fit} then needs the same data from the
     * start. With one thread the result is the same to the last bit as without the interruption.
     *
     * @param directory the plan's checkpoint directory of the interrupted training
     * @return this trainer
     * @throws InvalidInputException if there is no usable checkpoint, or it belongs to another plan, method or model
     */
    public AdapterTrainer resume(Path directory) {
        return usage.during(() -> {
            checkpoints.restore(directory);
            return this;
        });
    }

    private static double secondsSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    /**
     * Frees the memory of the optimiser and the engine.
     *
     * @throws IllegalStateException if another thread trains or evaluates; nothing is freed then
     */
    @Override
    public void close() {
        if (usage.close()) {
            optimizer.close();
            engine.close();
        }
    }
}
