package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.graph.GraphOutputs;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metric;
import java.util.List;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** Measures a model as it is, by the numbers that {@link AdapterTrainer} reports; nothing is trained. */
public final class Evaluator {
    private Evaluator() {}

    /**
     * Computes the loss over data, and metrics.
     *
     * @param graph the model, with its adapters as they are
     * @param loss a task loss in it
     * @param inputs which arrays of a data set feed which placeholders
     * @param data the data, from its beginning
     * @param options how it is computed
     * @param metrics what to compute beside the loss
     * @return the evaluation, of step 0
     * @throws InvalidInputException if the parts do not fit each other, or the data has no labels that count
     */
    public static Evaluation evaluate(
            SameDiff graph,
            TaskLoss loss,
            Binding inputs,
            MultiDataSetIterator data,
            EngineOptions options,
            List<Metric> metrics) {
        Feed feed = new Feed(graph, loss.loss(), inputs);
        for (Metric metric : metrics) {
            requireOutputs(graph, metric);
        }
        try (Engine engine = Engines.open(graph, loss.loss(), List.of(), options)) {
            Evaluation evaluation = MetricPass.over(data, feed, engine, loss.loss(), metrics, 0);
            if (evaluation.tokens() == 0) {
                throw new InvalidInputException("the data has no labels that count: it has no batches, or all of its"
                        + " label masks are 0; give data with labels");
            }
            return evaluation;
        }
    }

    /** Checks that a graph has what a metric looks at. */
    static void requireOutputs(SameDiff graph, Metric metric) {
        for (String output : metric.outputs()) {
            if (!graph.hasVariable(output)) {
                throw new InvalidInputException("the metric " + metric.name() + " is of `" + output
                        + "`, which is not a variable of this graph; its outputs are " + GraphOutputs.text(graph));
            }
        }
    }
}
