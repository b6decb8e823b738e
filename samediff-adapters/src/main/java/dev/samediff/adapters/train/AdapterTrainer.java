package dev.samediff.adapters.train;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.Usage;
import dev.samediff.adapters.engine.compiled.Targets;
import dev.samediff.adapters.graph.EmbeddingNoise;
import dev.samediff.adapters.graph.GraphAudit;
import dev.samediff.adapters.train.checkpoint.TrainingCheckpoints;
import dev.samediff.adapters.train.checkpoint.TrainingState;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.optimizer.AfterSteps;
import dev.samediff.adapters.train.optimizer.Optimizer;
import dev.samediff.adapters.train.optimizer.Parameters;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Trains adapters, or any variables of a graph, with AdamW.
 *
 * <p>One update: the gradients of {@code accumulation} batches, weighted by their labels' weights; clipping of their global
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
    private final Feed feed;
    private final @Nullable EmbeddingNoise noise;
    private final Engine engine;
    private final Optimizer optimizer;
    private final TrainingState state = new TrainingState();
    private final Parameters parameters;
    private final AfterSteps followers;
    private final TrainingCheckpoints checkpoints;
    private final Usage usage = new Usage("trainer", "a trainer is used by one thread, create another one");
    private final Evaluations evaluations;
    private @Nullable BatchStream batches;
    private boolean runIsOver;
    private volatile boolean stopRequested;

    /**
     * Creates a trainer for the active adapters of a model; the loss and their penalties become the graph's loss
     * variables.
     *
     * @param model the model
     * @param loss the task loss in its graph
     * @param plan how to train
     * @param inputs which arrays of a data set feed which placeholders
     * @throws InvalidInputException if the parts do not fit each other, or the graph cannot be trained correctly
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
        return Trainable.of(model, loss);
    }

    private static List<String> paths(Trainable model) {
        return model.trainableNames().stream()
                .map(name -> Optional.ofNullable(model.modulePaths().get(name))
                        .map(module -> module + ".weight")
                        .orElse(name))
                .toList();
    }

    /** Checks what is given, before an engine is opened on it. */
    private static Feed feed(Trainable model, TaskLoss loss, Binding inputs) {
        TrainableCheck.requireVariables(model);
        Feed feed = new Feed(model.graph(), loss.loss(), inputs);
        GraphAudit.requireSafe(model.graph(), List.of(loss.loss()), model.trainableNames());
        return feed;
    }

    /**
     * Creates a trainer that executes steps as the plan says.
     *
     * @param model what to train
     * @param loss the task loss in its graph
     * @param plan how to train
     * @param inputs which arrays of a data set feed which placeholders
     * @throws InvalidInputException if the parts do not fit each other, or the graph cannot be trained correctly
     */
    public AdapterTrainer(Trainable model, TaskLoss loss, TrainingPlan plan, Binding inputs) {
        this(
                model,
                loss,
                plan,
                feed(model, loss, inputs),
                () -> Engines.open(model.graph(), loss.loss(), model.trainableNames(), plan.engine()));
    }

    /**
     * Creates a trainer on a given engine, which is closed with the trainer.
     *
     * @param model what to train
     * @param loss the task loss in its graph
     * @param plan how to train
     * @param inputs which arrays of a data set feed which placeholders
     * @param engine an engine on the model's graph, this loss and the model's trainables
     * @throws InvalidInputException if the parts do not fit each other, or the graph cannot be trained correctly
     */
    public AdapterTrainer(Trainable model, TaskLoss loss, TrainingPlan plan, Binding inputs, Engine engine) {
        this(model, loss, plan, feed(model, loss, inputs), () -> engine);
    }

    private AdapterTrainer(Trainable model, TaskLoss loss, TrainingPlan plan, Feed feed, Supplier<Engine> engine) {
        this.model = model;
        this.loss = loss;
        this.plan = plan;
        this.feed = feed;
        this.parameters = new Parameters(model);
        parameters.requireFloat();
        plan.learningRates().requireUsed(model.trainableNames());
        PenaltyBound.warn(model, plan);
        this.noise = plan.neftune() > 0 ? EmbeddingNoise.in(model.graph(), loss.loss()) : null;
        this.engine = engine.get();
        this.optimizer = Optimizer.of(plan, model.trainableNames(), paths(model), parameters.arrays());
        this.followers = new AfterSteps(model);
        this.checkpoints = new TrainingCheckpoints(model, plan, optimizer, state, followers);
        this.evaluations = new Evaluations(plan, loss.loss(), feed, this.engine, parameters, state);
    }

    /**
     * Adds metrics to every evaluation; what is best, and when to stop early, is decided by the loss, or by the metric of {@link
     * #judgedBy}.
     *
     * @return this trainer
     * @throws InvalidInputException if the graph lacks what a metric looks at, or one is named twice
     */
    public AdapterTrainer reporting(Metric... metrics) {
        return measuring(List.of(metrics), evaluations.decisive());
    }

    /**
     * Lets a metric decide, in its direction, which parameters are the best and when training stops early, instead of the loss.
     *
     * @return this trainer
     * @throws InvalidInputException if the graph lacks what it looks at, or it is named twice
     */
    public AdapterTrainer judgedBy(Metric metric) {
        return measuring(List.of(), Optional.of(metric));
    }

    private AdapterTrainer measuring(List<Metric> more, Optional<Metric> decisive) {
        return usage.during(() -> {
            List<Metric> all = new ArrayList<>();
            decisive.ifPresent(all::add);
            Optional<Metric> before = evaluations.decisive();
            evaluations.metrics().stream()
                    .filter(metric -> before.isEmpty() || metric != before.get())
                    .forEach(all::add);
            all.addAll(more);
            for (Metric metric : all) {
                Evaluator.requireOutputs(model.graph(), metric);
                if (all.stream()
                                .filter(other -> other.name().equals(metric.name()))
                                .count()
                        > 1) {
                    throw new InvalidInputException("the metric " + metric.name() + " is named twice; name it once");
                }
            }
            evaluations.use(all, decisive.isPresent());
            return this;
        });
    }

    /**
     * Trains as planned. A second call trains as planned once more, from where the first one ended: AdamW's moments, the
     * numbers of updates and the place in the data go on (with another iterator, at its beginning), while the schedule, its
     * warm-up, early stopping and the search for the best parameters start again. A call after one that failed goes on with
     * the interrupted run.
     *
     * @param train training data, reset at the start of every epoch
     * @param evaluation evaluation data, or null; evaluated at the start, as planned, and at the end
     * @param listeners are told how it goes
     * @throws NonFiniteException if a loss, a gradient or a parameter is not finite; the parameters are those of the last good step
     * @throws InvalidInputException if training could change nothing (merged or disabled adapters, a loss that depends on
     *     nothing trainable, no labels), would leave out VARIABLEs that the loss depends on, if a batch does not fit the graph,
     *     or if the plan asks for evaluations that there is no data for
     * @throws IllegalStateException if the trainer is closed, or another thread uses it, or an update of an earlier call was undone
     */
    public TrainingResult fit(
            MultiDataSetIterator train, @Nullable MultiDataSetIterator evaluation, TrainingListener... listeners) {
        return usage.during(() -> train(train, evaluation, List.of(listeners)));
    }

    private TrainingResult train(
            MultiDataSetIterator train, @Nullable MultiDataSetIterator evaluation, List<TrainingListener> audience) {
        long start = System.nanoTime();
        requireNotUndone();
        parameters.requireSame();
        TrainableCheck.requireEffect(model, loss.loss());
        requireEvaluation(evaluation);
        model.peakLearningRate(plan.peak());
        Updates updates =
                new Updates(model, plan, feed, engine, optimizer, parameters, checkpoints, state, followers, noise);
        BatchStream stream = stream(train);
        int planned = plannedSteps(stream);
        followers.begin(planned);
        begin(stream, train, evaluation);
        int total = Math.addExact(state.runStart, planned);
        audience.forEach(listener -> listener.onStart(plan, total, state.step));
        if (evaluation != null && state.evaluations.isEmpty()) {
            judge(evaluation, audience);
        }
        boolean interrupted = false;
        while (state.step < total && !interrupted && !evaluations.isHopeless()) {
            StepReport report = updates.next(stream, planned);
            audience.forEach(listener -> listener.onStep(report));
            boolean last = state.step == total;
            if (evaluation != null && (last || isDue(plan.evaluateEvery()))) {
                judge(evaluation, audience);
            }
            boolean asked = stopRequested || audience.stream().anyMatch(TrainingListener::wantsStop);
            interrupted = asked && !last && !evaluations.isHopeless();
            boolean due = last || evaluations.isHopeless() || isDue(plan.checkpointEvery());
            if (interrupted || (plan.checkpointEvery() > 0 && due)) {
                checkpoint(audience);
            }
        }
        stopRequested = false;
        if (!interrupted) {
            updates.requireLabels();
        }
        TrainingResult result = new TrainingResult(
                state.step,
                state.losses,
                state.evaluations,
                interrupted ? TrainingResult.Reason.INTERRUPTED : ended(),
                (System.nanoTime() - start) / 1e9,
                evaluations.settle());
        runIsOver =
                !interrupted || plan.restoreBest(); // with the best parameters put back, only the checkpoint goes on
        engine.report().ifPresent(report -> audience.forEach(listener -> listener.onExecution(report)));
        audience.forEach(listener -> listener.onEnd(result));
        return result;
    }

    /** An update that was undone has left its mark on the optimizer's moments. */
    private void requireNotUndone() {
        if (state.isUndone) {
            throw new IllegalStateException(
                    "the update after step " + state.step
                            + " was undone because it made parameters NaN or infinite, and the moments of the optimizer are those"
                            + " behind it; go on from a checkpoint by resume, or make a new trainer, with a lower learning rate");
        }
    }

    private TrainingResult.Reason ended() {
        return evaluations.isHopeless() ? TrainingResult.Reason.STOPPED_EARLY : TrainingResult.Reason.COMPLETED;
    }

    private void requireEvaluation(@Nullable MultiDataSetIterator evaluation) {
        if (evaluation == null && (plan.patience() > 0 || plan.restoreBest())) {
            throw new InvalidInputException(
                    "the plan " + (plan.patience() > 0 ? "stops early" : "restores the best parameters")
                            + ", which takes evaluation data, and there is none; give it as the second argument of fit");
        }
    }

    /** Returns the stream that the last run took its batches from, if it is of this iterator. */
    private BatchStream stream(MultiDataSetIterator train) {
        BatchStream stream = batches;
        if (stream == null || !stream.isOf(train)) {
            stream = new BatchStream(train, keepsCheckpoints());
            batches = stream;
        }
        return stream;
    }

    /** Starts another run, or goes on with the one that was interrupted or restored. */
    private void begin(BatchStream stream, MultiDataSetIterator train, @Nullable MultiDataSetIterator evaluation) {
        if (runIsOver) {
            state.startRun();
            runIsOver = false;
        }
        if (keepsCheckpoints()) {
            Map<String, String> data = new TreeMap<>(described("training ", train));
            if (plan.patience() > 0 || plan.restoreBest()) {
                data.putAll(described("evaluation ", evaluation));
                evaluations.decisive().ifPresent(metric -> data.put("judged by", metric.name()));
            }
            checkpoints.use(data);
        }
        if (checkpoints.isResumed()) {
            stream.seek(state.epoch, state.position, state.batches.isEmpty() ? null : state.batches);
            checkpoints.started();
        }
    }

    private boolean keepsCheckpoints() {
        return plan.checkpointDirectory() != null || checkpoints.isResumed();
    }

    private static Map<String, String> described(String prefix, @Nullable MultiDataSetIterator data) {
        Map<String, String> description = new TreeMap<>();
        if (data instanceof DescribedBatches batches) {
            batches.description().forEach((name, value) -> description.put(prefix + name, value));
        }
        return description;
    }

    /**
     * Asks for the end of the training after the update that is being made; a checkpoint is written then, if the plan names a
     * directory, from which {@link #resume} goes on. The one method that any thread may call while {@link #fit} runs.
     */
    public void stop() {
        stopRequested = true;
    }

    private int plannedSteps(BatchStream stream) {
        if (plan.steps() > 0) {
            return plan.steps();
        }
        int perEpoch = (stream.countBatches() + plan.accumulation() - 1) / plan.accumulation();
        return Math.multiplyExact(plan.epochs(), perEpoch);
    }

    private boolean isDue(int interval) {
        return interval > 0 && (state.step - state.runStart) % interval == 0;
    }

    private void judge(MultiDataSetIterator data, List<TrainingListener> audience) {
        Evaluation evaluation = evaluations.judge(data);
        audience.forEach(listener -> listener.onEvaluation(evaluation));
    }

    private void checkpoint(List<TrainingListener> audience) {
        checkpoints.save().ifPresent(saved -> audience.forEach(listener -> listener.onCheckpoint(state.step, saved)));
    }

    /**
     * Computes the task loss over data with the current parameters, the weighted mean over all labelled tokens, 0 if there
     * are none; and the metrics that were asked for.
     *
     * @param data the data; reset first
     */
    public Evaluation evaluate(MultiDataSetIterator data) {
        return usage.during(() -> evaluations.of(data));
    }

    /**
     * Continues where the newest usable checkpoint in a directory was made; {@link #fit} then needs the same data from the
     * start, and refuses other data. With one thread the result is the same to the last bit as without the interruption. A
     * run that had ended stays as it was; fit returns its result.
     *
     * @param directory the plan's checkpoint directory of the interrupted training
     * @return this trainer
     * @throws InvalidInputException if there is no usable checkpoint, or it belongs to another plan, method or model
     */
    public AdapterTrainer resume(Path directory) {
        return usage.during(() -> {
            checkpoints.restore(directory);
            batches = null;
            runIsOver = false;
            return this;
        });
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
            parameters.forget();
            engine.close();
            if (noise != null) {
                noise.remove();
            }
        }
    }
}
