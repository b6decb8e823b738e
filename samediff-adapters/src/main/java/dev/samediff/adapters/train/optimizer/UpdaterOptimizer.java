package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.LearningRates;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * ND4J's updaters, at the plan's learning rate, with decoupled weight decay: {@code p = p (1 - lr wd) - update}. All parameters lie in one
 * row, which an updater sees as one; its state is one or two numbers for each of them.
 */
final class UpdaterOptimizer extends Optimizer {
    private static final int MOST_STATE = 2;

    private final IUpdater updater;
    private final GradientUpdater<?> steps;
    private final Flat sum;
    private final Flat work;
    private final Flat slope;
    private final List<Flat> state;

    /**
     * Makes an optimizer without state.
     *
     * @throws InvalidInputException if the updater keeps more than two numbers for each parameter, or none can be made of it
     */
    UpdaterOptimizer(
            IUpdater given, Settings settings, List<INDArray> parameters, List<LearningRates.Factors> factors) {
        super(settings, factors);
        parameters.forEach(parameter -> requireFloat("a parameter", parameter));
        this.updater = given.clone();
        this.sum = Flat.like(parameters);
        this.work = Flat.like(parameters);
        this.slope = Flat.like(parameters);
        long length = sum.vector().length();
        long size = updater.stateSize(length);
        if (size % length != 0 || size / length > MOST_STATE) {
            throw new InvalidInputException("the updater " + given.getClass().getSimpleName() + " keeps "
                    + (double) size / length + " numbers for each parameter, the trainer saves at most " + MOST_STATE
                    + "; take Sgd, Nesterovs, Adam, AdaMax, Nadam, AdaGrad, AdaDelta or RmsProp, or AdamW by"
                    + " leaving the updater out");
        }
        INDArray view = size == 0
                ? Nd4j.empty(DataType.FLOAT)
                : Nd4j.createUninitializedDetached(DataType.FLOAT, 1, size).assign(0);
        this.steps = steps(updater, size == 0 ? null : view);
        this.state = LongStream.range(0, size / length)
                .mapToObj(i -> Flat.of(
                        view.get(NDArrayIndex.point(0), NDArrayIndex.interval(i * length, (i + 1) * length)),
                        parameters))
                .toList();
        if (size > 0) {
            steps.setStateViewArray(view, new long[] {1, length}, 'c', true);
        }
    }

    private static GradientUpdater<?> steps(IUpdater updater, @Nullable INDArray view) {
        try {
            return updater.instantiate(view, true);
        } catch (RuntimeException e) { // AdaBelief of M2.1 reads its state by an axis that is not there
            throw new InvalidInputException(
                    "ND4J 1.0.0-M2.1 cannot make the updater "
                            + updater.getClass().getSimpleName() + " (" + e.getMessage() + "); take another one",
                    e);
        }
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
        return slope.vector().castTo(DataType.DOUBLE).norm2Number().doubleValue();
    }

    @Override
    boolean move(List<INDArray> parameters, Slope wanted, double learningRate) {
        slope.assign(wanted, sum, work);
        if (updater.hasLearningRate()) {
            updater.setLrAndSchedule(learningRate, null);
        }
        steps.applyUpdater(slope.vector().reshape(1, -1), Math.toIntExact(steps() - 1), 0);
        for (int i = 0; i < parameters.size(); i++) {
            LearningRates.Factors factors = factors(i);
            double decay = learningRate * factors.learning() * settings().weightDecay() * factors.decay();
            if (decay != 0) {
                parameters.get(i).muli(1 - decay);
            }
            INDArray update = slope.parts().get(i);
            parameters.get(i).subi(factors.learning() == 1 ? update : update.muli(factors.learning()));
        }
        return areFinite(parameters);
    }

    @Override
    List<INDArray> first() {
        return state.isEmpty() ? List.of() : state.get(0).parts();
    }

    @Override
    List<INDArray> second() {
        return state.size() < MOST_STATE ? List.of() : state.get(1).parts();
    }

    @Override
    public void close() {
        List.of(sum, work, slope).forEach(flat -> free(flat.vector()));
    }
}
