package dev.samediff.tuning.training;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.linalg.CachingDecompositions;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.adapters.linalg.SvdChoice;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.tuning.Trial;
import dev.samediff.tuning.TrialContext;
import dev.samediff.tuning.space.AdapterParameter;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Fine-tunes a base model; the score is the evaluation loss of the parameters that training leaves: the last evaluation, or
 * the best one where a plan puts the best parameters back. Evaluations on the way are reported, so that hopeless trials are
 * given up.
 *
 * <p>All trials share the base model's arrays and the decompositions of its weights; the result of a trial does not depend
 * on which trials ran before it or run beside it.
 */
public final class AdapterTrial implements Trial {
    private final BaseModels models;
    private final TrialData data;
    private final Function<SameDiff, TaskLoss> loss;
    private final String[] inputs;
    private final AdapterDefaults defaults;
    private final Decompositions linalg;

    /**
     * Creates the trial.
     *
     * @param models graphs of the base model
     * @param data training and evaluation data
     * @param loss builds the task loss in a graph; called again on the same graph it returns the first one's
     * @param inputs placeholders that the data's features feed, in their order
     * @param defaults what the space does not say
     * @param linalg decompositions for all trials, see {@link #cache}
     */
    public AdapterTrial(
            BaseModels models,
            TrialData data,
            Function<SameDiff, TaskLoss> loss,
            String[] inputs,
            AdapterDefaults defaults,
            Decompositions linalg) {
        this.models = models;
        this.data = data;
        this.loss = loss;
        this.inputs = inputs.clone();
        this.defaults = defaults;
        this.linalg = linalg;
    }

    /** Returns decompositions that are computed once, at the largest rank that a space allows. */
    public static Decompositions cache(AdapterSpace space, AdapterDefaults defaults) {
        return cache(space, defaults, SvdChoice.auto(), new LapackDecompositions());
    }

    /**
     * Returns decompositions that are computed once, at the largest rank that a space allows.
     *
     * @param choice exact, randomised, or by size
     * @param computing computes, or finds what another sweep computed
     */
    public static Decompositions cache(
            AdapterSpace space, AdapterDefaults defaults, SvdChoice choice, Decompositions computing) {
        int rank = largest(space, AdapterParameter.RANK, defaults.rank());
        return choice.over(new CachingDecompositions(computing, rank));
    }

    private static int largest(AdapterSpace space, AdapterParameter wanted, int absent) {
        return space.parameters().stream()
                .filter(parameter -> parameter.name().equals(wanted.key()))
                .mapToInt(parameter -> largest(parameter.range()))
                .findFirst()
                .orElse(absent);
    }

    private static int largest(Range range) {
        if (range instanceof Range.Choice choice) {
            return choice.values().stream()
                    .mapToInt(value -> ((Number) value).intValue())
                    .max()
                    .orElse(1);
        }
        return range instanceof Range.Integers whole ? whole.high() : 1;
    }

    /** Estimates what a trial of the largest rank and batch that a space allows needs, by one step of it. */
    public TrialMemory memory(AdapterSpace space, long seed) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put(AdapterParameter.RANK.key(), (long) largest(space, AdapterParameter.RANK, defaults.rank()));
        int batch = largest(space, AdapterParameter.BATCH, defaults.batch());
        SameDiff graph = models.borrow();
        ParameterValues largest = new ParameterValues(values);
        AdaptedModel model = AdaptedModel.inject(graph, models.modulePaths(), defaults.adapter(largest, seed), linalg);
        EngineOptions engine = defaults.training(largest, seed).engine();
        TrialMemory memory = TrialMemory.measure(model, loss.apply(graph), inputs, data, batch, seed, engine);
        models.giveBack(model.unload());
        return memory;
    }

    @Override
    public double run(TrialContext context) {
        ParameterValues values = context.parameters();
        TrainingPlan plan = defaults.training(values, context.seed());
        SameDiff graph = models.borrow();
        AdaptedModel model =
                AdaptedModel.inject(graph, models.modulePaths(), defaults.adapter(values, context.seed()), linalg);
        TaskLoss task = loss.apply(graph);
        TrainingResult result;
        try (AdapterTrainer trainer = new AdapterTrainer(model, task, plan, Binding.of(task, inputs))) {
            result = trainer.fit(
                    data.train(defaults.batch(values), context.seed()), data.evaluation(), new Reports(context));
        } finally {
            models.giveBack(model.unload());
        }
        return kept(plan, result).orElseThrow().loss();
    }

    /** Returns the evaluation of the parameters that training leaves: those of the best one where they are put back. */
    private static Optional<Evaluation> kept(TrainingPlan plan, TrainingResult result) {
        return plan.restoreBest() ? result.bestEvaluation() : result.finalEvaluation();
    }

    /** Tells the context how training goes, and ends it when the context says so. */
    private static final class Reports implements TrainingListener {
        private final TrialContext context;
        private int total;

        Reports(TrialContext context) {
            this.context = context;
        }

        @Override
        public void onStart(TrainingPlan plan, int totalSteps, int startStep) {
            total = totalSteps;
        }

        @Override
        public void onStep(StepReport report) {
            context.stopIfTimeIsOver();
        }

        @Override
        public void onEvaluation(Evaluation evaluation) {
            if (evaluation.step() > 0) {
                context.report(evaluation.step(), evaluation.loss());
                if (evaluation.step() < total) {
                    context.stopIfHopeless();
                }
            }
        }
    }
}
