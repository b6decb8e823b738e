package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.train.checkpoint.TrainingState;
import dev.samediff.adapters.train.optimizer.Parameters;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** The loss on data, and what depends on it: the best parameters and when to stop. */
final class Evaluations {
    private final TrainingPlan plan;
    private final String loss;
    private final Feed feed;
    private final Engine engine;
    private final Parameters parameters;
    private final TrainingState state;

    Evaluations(TrainingPlan plan, String loss, Feed feed, Engine engine, Parameters parameters, TrainingState state) {
        this.plan = plan;
        this.loss = loss;
        this.feed = feed;
        this.engine = engine;
        this.parameters = parameters;
        this.state = state;
    }

    /** Computes the weighted mean of the loss over data. */
    Evaluation of(MultiDataSetIterator data) {
        if (data.resetSupported()) {
            data.reset();
        }
        double sum = 0;
        double tokens = 0;
        while (data.hasNext()) {
            Map<String, INDArray> placeholders = feed.placeholders(data.next());
            double weight = feed.weight(placeholders);
            INDArray value = engine.outputs(placeholders, List.of(loss))
                    .values()
                    .iterator()
                    .next();
            sum += weight == 0 ? 0 : value.getDouble(0) * weight;
            tokens += weight;
        }
        double mean = tokens == 0 ? 0 : sum / tokens;
        return new Evaluation(state.step, mean, tokens, tokens > 0 && mean < state.bestLoss);
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
        if (evaluation.loss() < state.bestLoss - plan.minDelta()) {
            state.evaluationsWithoutImprovement = 0;
        } else {
            state.evaluationsWithoutImprovement++;
        }
        if (evaluation.best()) {
            state.bestLoss = evaluation.loss();
            state.bestParameters = plan.restoreBest() ? parameters.read() : null;
        }
        return evaluation;
    }

    /** Tells whether the plan ends training because the loss stopped falling. */
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
                    .filter(evaluation -> evaluation.loss() == state.bestLoss)
                    .findFirst();
        }
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
    }
}
