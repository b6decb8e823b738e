package dev.samediff.tuning.arbiter;

import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.deeplearning4j.arbiter.optimize.api.data.DataProvider;
import org.deeplearning4j.arbiter.optimize.api.data.DataSource;
import org.deeplearning4j.arbiter.optimize.api.score.ScoreFunction;

/** Tells Arbiter the direction; trials score themselves. */
public final class LowerIsBetter implements ScoreFunction {
    /** The only one. */
    public static final LowerIsBetter INSTANCE = new LowerIsBetter();

    private static final long serialVersionUID = 1L;

    @Override
    public double score(Object model, DataProvider data, Map<String, Object> parameters) {
        throw new UnsupportedOperationException("trials score themselves");
    }

    @Override
    public double score(Object model, Class<? extends DataSource> source, Properties properties) {
        throw new UnsupportedOperationException("trials score themselves");
    }

    @Override
    public boolean minimize() {
        return true;
    }

    @Override
    public List<Class<?>> getSupportedModelTypes() {
        return List.of();
    }

    @Override
    public List<Class<?>> getSupportedDataTypes() {
        return List.of();
    }

    @Override
    public String toString() {
        return "each trial's own, lower is better";
    }
}
