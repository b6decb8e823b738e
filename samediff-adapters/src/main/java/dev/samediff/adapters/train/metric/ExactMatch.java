package dev.samediff.adapters.train.metric;

import java.util.HashMap;
import java.util.Map;

/** Whether all labels of a text are met. */
final class ExactMatch implements Metric.Accumulator {
    private long texts;
    private long met;

    @Override
    public void add(Metric.Batch batch) {
        Items items = Items.of(batch, "exact_match");
        Map<Integer, Boolean> right = new HashMap<>();
        for (int i = 0; i < items.size(); i++) {
            right.merge(items.rows()[i], items.predicted(i) == items.labels()[i], Boolean::logicalAnd);
        }
        texts += right.size();
        met += right.values().stream().filter(each -> each).count();
    }

    @Override
    public double value(double loss) {
        return texts == 0 ? Double.NaN : (double) met / texts;
    }
}
