package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.train.LearningRates;
import java.util.List;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.floating.Sqrt;
import org.nd4j.linalg.factory.Nd4j;

/**
 * AdamW by ND4J's operations, on whatever device its arrays lie. All parameters together are one vector, so that the
 * number of operations hardly depends on the number of parameters; nothing but the norm is read by the host.
 */
final class DeviceAdamW extends Optimizer {
    private final Flat sum;
    private final Flat slope;
    private final Flat work;
    private final Flat first;
    private final Flat second;
    private final INDArray doubles;

    /**
     * Creates an optimizer without state.
     *
     * @param parameters the parameters, for their shapes
     */
    DeviceAdamW(Settings settings, List<INDArray> parameters) {
        this(settings, parameters, LearningRates.same(parameters.size()));
    }

    /**
     * Creates an optimizer without state.
     *
     * @param parameters the parameters, for their shapes
     * @param factors of each parameter's learning rate and decay
     */
    DeviceAdamW(Settings settings, List<INDArray> parameters, List<LearningRates.Factors> factors) {
        super(settings, factors);
        parameters.forEach(parameter -> requireFloat("a parameter", parameter));
        sum = Flat.like(parameters);
        slope = Flat.like(parameters);
        work = Flat.like(parameters);
        first = Flat.like(parameters);
        second = Flat.like(parameters);
        doubles = Nd4j.createUninitializedDetached(DataType.DOUBLE, sum.vector().length());
    }

    @Override
    void take(List<INDArray> gradients) {
        sum.assign(gradients);
    }

    @Override
    void add(List<INDArray> gradients, double weight) {
        work.assign(gradients);
        sum.vector().addi(work.vector().muli(weight));
    }

    @Override
    INDArray sum(int parameter) {
        return sum.parts().get(parameter);
    }

    @Override
    public double norm(Slope wanted) {
        slope.assign(wanted, sum, work);
        return doubles.assign(slope.vector()).norm2Number().doubleValue();
    }

    @Override
    boolean move(List<INDArray> parameters, Slope wanted, double learningRate) {
        slope.assign(wanted, sum, work);
        Settings s = settings();
        INDArray g = slope.vector();
        INDArray m = first.vector();
        INDArray v = second.vector();
        INDArray w = work.vector();
        m.muli(s.beta1()).addi(g.muli(1 - s.beta1(), w));
        g.muli(1 - s.beta2(), w);
        v.muli(s.beta2()).addi(w.muli(g));
        Nd4j.exec(new Sqrt(v, w));
        w.divi(Math.sqrt(1 - Math.pow(s.beta2(), steps()))).addi(s.epsilon());
        m.muli(-(learningRate / (1 - Math.pow(s.beta1(), steps()))), g).divi(w);
        for (int i = 0; i < parameters.size(); i++) {
            INDArray parameter = parameters.get(i);
            LearningRates.Factors factors = factors(i);
            if (s.weightDecay() != 0) {
                parameter.muli(1 - learningRate * factors.learning() * s.weightDecay() * factors.decay());
            }
            INDArray change = slope.parts().get(i);
            parameter.addi(factors.learning() == 1 ? change : change.muli(factors.learning()));
        }
        return areFinite(parameters);
    }

    @Override
    List<INDArray> first() {
        return first.parts();
    }

    @Override
    List<INDArray> second() {
        return second.parts();
    }

    /** Returns the bytes of everything held. */
    long bytes() {
        return everything()
                .mapToLong(array -> array.length() * array.dataType().width())
                .sum();
    }

    private Stream<INDArray> everything() {
        return Stream.of(sum.vector(), slope.vector(), work.vector(), first.vector(), second.vector(), doubles);
    }

    @Override
    public void close() {
        everything().forEach(Optimizer::free);
    }
}
