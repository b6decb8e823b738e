package dev.samediff.adapters.method;

import dev.samediff.adapters.Penalty;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A penalty whose coefficient does not depend on the learning rate.
 *
 * @param penalty the formula
 * @param weight the coefficient
 */
record FixedPenalty(Penalty penalty, double weight) implements Penalty {
    @Override
    public double gamma() {
        return penalty.gamma();
    }

    @Override
    public double coefficient(double etaMax) {
        return weight;
    }

    @Override
    public SDVariable inGraph(List<Map<String, SDVariable>> sites, String name) {
        return penalty.inGraph(sites, name);
    }

    @Override
    public Value evaluate(List<Map<String, INDArray>> sites) {
        return penalty.evaluate(sites);
    }

    @Override
    public OptionalDouble deviation(double value, List<Map<String, INDArray>> sites) {
        return penalty.deviation(value, sites);
    }

    @Override
    public OptionalDouble curvature() {
        return penalty.curvature();
    }

    @Override
    public Optional<Term> term(String tensor, INDArray value, int sites) {
        return penalty.term(tensor, value, sites);
    }
}
