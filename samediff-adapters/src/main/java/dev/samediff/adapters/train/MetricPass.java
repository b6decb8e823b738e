package dev.samediff.adapters.train;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.train.metric.Metric;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** One pass over evaluation data. */
final class MetricPass {
    private MetricPass() {}

    /** Computes the weighted mean of the loss, and the metrics; none is called the best. */
    static Evaluation over(
            MultiDataSetIterator data, Feed feed, Engine engine, String loss, List<Metric> metrics, int step) {
        if (data.resetSupported()) {
            data.reset();
        }
        Set<String> wanted = new LinkedHashSet<>(List.of(loss));
        metrics.forEach(metric -> wanted.addAll(metric.outputs()));
        List<Metric.Accumulator> passes = metrics.stream().map(Metric::start).toList();
        double sum = 0;
        double tokens = 0;
        while (data.hasNext()) {
            Map<String, INDArray> placeholders = feed.placeholders(data.next());
            double weight = feed.weight(placeholders);
            Map<String, INDArray> values = engine.outputs(placeholders, wanted);
            sum += weight == 0 ? 0 : Objects.requireNonNull(values.get(loss)).getDouble(0) * weight;
            tokens += weight;
            for (int i = 0; i < passes.size(); i++) {
                passes.get(i).add(batch(metrics.get(i), values, placeholders, feed));
            }
        }
        double mean = tokens == 0 ? 0 : sum / tokens;
        Map<String, Double> numbers = new LinkedHashMap<>();
        for (int i = 0; i < passes.size(); i++) {
            double number = passes.get(i).value(mean);
            if (Double.isFinite(number)) {
                numbers.put(metrics.get(i).name(), number);
            }
        }
        return new Evaluation(step, mean, tokens, false, numbers);
    }

    private static Metric.Batch batch(
            Metric metric, Map<String, INDArray> values, Map<String, INDArray> placeholders, Feed feed) {
        return new Metric.Batch(
                metric.outputs().stream()
                        .map(name -> Objects.requireNonNull(values.get(name), name))
                        .toList(),
                feed.targets(placeholders),
                feed.weights(placeholders));
    }
}
