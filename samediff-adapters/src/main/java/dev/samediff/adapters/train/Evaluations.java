package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.train.checkpoint.TrainingState;
import dev.samediff.adapters.train.metric.Metric;
import dev.samediff.adapters.train.optimizer.Parameters;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** The loss and metrics on data, and what depends on them: the best parameters and when to stop. */
final class Evaluations {
    private final TrainingPlan plan;
    private final String loss;
    private final Feed feed;
    private final Engine engine;
    private final Parameters parameters;
    private final TrainingState state;
    private List<Metric> metrics = List.of();
    private @Nullable Metric decisive;

    Evaluations(TrainingPlan plan, String loss, Feed feed, Engine engine, Parameters parameters, TrainingState state) {
        this.plan = plan;
        this.loss = loss;
        this.feed = feed;
        this.engine = engine;
        this.parameters = parameters;
        this.state = state;
    }

    /** Takes metrics in, which are part of every evaluation from now on; the first decides what is best, if it is asked to. */
    void use(List<Metric> metrics, boolean decisive) {
        this.metrics = List.copyOf(metrics);
        this.decisive = decisive ? metrics.get(0) : null;
    }

    /** The metric that decides what is best, if it is not the loss. */
    Optional<Metric> decisive() {
        return Optional.ofNullable(decisive);
    }

    /** The metrics of every evaluation. */
    List<Metric> metrics() {
        return metrics;
    }

    /** Computes the weighted mean of the loss over data, and the metrics. */
    Evaluation of(MultiDataSetIterator data) {
        Evaluation evaluation = MetricPass.over(data, feed, engine, loss, metrics, state.step);
        return new Evaluation(
                evaluation.step(),
                evaluation.loss(),
                evaluation.tokens(),
                evaluation.tokens() > 0 && cost(evaluation) < state.bestLoss,
                evaluation.metrics());
    }

    /** What is to be small: the loss, or the deciding metric turned so; NaN if that is not defined. */
    private double cost(Evaluation evaluation) {
        Metric by = decisive;
        if (by == null) {
            return evaluation.loss();
        }
        double value = evaluation.metrics().getOrDefault(by.name(), Double.NaN);
        return by.isHigherBetter() ? -value : value;
    }

    /**
     * Evaluates the present parameters, and keeps them if they are the best so far.
     *
     * @throws InvalidInputException if the data has no labels, so that nothing could be decided by it
     */
    Evaluation judge(MultiDataSetIterator data) {
        Evaluation evaluation = of(data);
        if (evaluation.tokens() == 0) {
            throw new InvalidInputException(
                    "the evaluation data has no labels that count: it has no batches, or all of its"
                            + " label masks are 0; give data with labels, or null to train without evaluation");
        }
        state.evaluations.add(evaluation);
        if (cost(evaluation) < state.bestLoss - plan.minDelta()) {
            state.evaluationsWithoutImprovement = 0;
        } else {
            state.evaluationsWithoutImprovement++;
        }
        if (evaluation.best()) {
            state.bestLoss = cost(evaluation);
            state.bestParameters = plan.restoreBest() ? parameters.read() : null;
        }
        return evaluation;
    }

    /** Tells whether the plan ends training because the loss, or the deciding metric, stopped getting better. */
    boolean isHopeless() {
        return plan.patience() > 0 && state.evaluationsWithoutImprovement >= plan.patience();
    }

    /** Puts the best parameters back if that is planned; returns the evaluation of the parameters there are then. */
    Optional<Evaluation> settle() {
        List<Evaluation> all = state.evaluations;
        List<INDArray> best = state.bestParameters;
        if (best != null) {
            parameters.write(best);
            return all.stream()
                    .filter(evaluation -> cost(evaluation) == state.bestLoss)
                    .findFirst();
        }
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
    }
}
