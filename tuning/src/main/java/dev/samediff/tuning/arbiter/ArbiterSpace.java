package dev.samediff.tuning.arbiter;

import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.arbiter.optimize.api.AbstractParameterSpace;
import org.deeplearning4j.arbiter.optimize.api.ParameterSpace;
import org.deeplearning4j.arbiter.optimize.distribution.LogUniformDistribution;
import org.deeplearning4j.arbiter.optimize.parameter.continuous.ContinuousParameterSpace;
import org.deeplearning4j.arbiter.optimize.parameter.discrete.DiscreteParameterSpace;
import org.deeplearning4j.arbiter.optimize.parameter.integer.IntegerParameterSpace;
import org.jspecify.annotations.Nullable;

/**
 * A space as Arbiter sees it: a leaf per varied parameter, whose value is {@link ParameterValues}.
 *
 * <p>Fixed parameters are no leaves: Arbiter's grid gives a choice of one value no coordinate, but the space an index, so
 * that every parameter behind it reads beyond the coordinates.
 */
public final class ArbiterSpace extends AbstractParameterSpace<ParameterValues> {
    private static final MathContext DIGITS = new MathContext(4, RoundingMode.HALF_EVEN);

    private final AdapterSpace space;
    private final Map<String, ParameterSpace<?>> leaves = new LinkedHashMap<>();

    /** Creates Arbiter's view of a space. */
    public ArbiterSpace(AdapterSpace space) {
        this.space = space;
        space.varied().forEach(parameter -> leaves.put(parameter.name(), leaf(parameter.range())));
    }

    static ParameterSpace<?> leaf(Range range) {
        if (range instanceof Range.Choice choice) {
            return new DiscreteParameterSpace<>(choice.values());
        }
        if (range instanceof Range.Integers integers) {
            return new IntegerParameterSpace(integers.low(), integers.high());
        }
        if (range instanceof Range.Uniform uniform) {
            return new ContinuousParameterSpace(uniform.low(), uniform.high());
        }
        if (range instanceof Range.LogUniform log) {
            return new ContinuousParameterSpace(new LogUniformDistribution(log.low(), log.high()));
        }
        throw new IllegalStateException("no Arbiter space for " + range);
    }

    /** Returns the space. */
    public AdapterSpace space() {
        return space;
    }

    @Override
    public ParameterValues getValue(double[] coordinates) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Parameter parameter : space.parameters()) {
            ParameterSpace<?> leaf = leaves.get(parameter.name());
            values.put(parameter.name(), value(parameter.range(), leaf == null ? null : leaf.getValue(coordinates)));
        }
        return space.applyConditions(values);
    }

    private static Object value(Range range, @Nullable Object value) {
        if (value == null) {
            return ((Range.Choice) range).values().get(0);
        }
        if (value instanceof Integer number) {
            return number.longValue();
        }
        if (range instanceof Range.Uniform uniform) {
            return rounded((Double) value, uniform.low(), uniform.high());
        }
        return range instanceof Range.LogUniform log ? rounded((Double) value, log.low(), log.high()) : value;
    }

    /** Four digits are all that matters, and can be typed; Arbiter's logarithms leave the range by a rounding error. */
    private static double rounded(double value, double low, double high) {
        double short4 = new BigDecimal(value).round(DIGITS).doubleValue();
        return Math.min(high, Math.max(low, short4));
    }

    @Override
    public int numParameters() {
        return leaves.size();
    }

    @Override
    @SuppressWarnings("rawtypes") // Arbiter's signature
    public List<ParameterSpace> collectLeaves() {
        return new ArrayList<>(leaves.values());
    }

    @Override
    public boolean isLeaf() {
        return false;
    }

    @Override
    public void setIndices(int... indices) {
        throw new UnsupportedOperationException("indices belong to the leaves");
    }
}
