package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.LearningRates;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** AdamW in a subspace of the parameters, by ND4J's operations: each tensor has {@link Coordinates} in which its moments are. */
final class SubspaceAdamW extends Optimizer {
    private final List<Coordinates> coordinates;
    private final @Nullable INDArray[] first;
    private final @Nullable INDArray[] second;
    private List<INDArray> sum = List.of();

    /**
     * Creates an optimizer without state.
     *
     * @param coordinates of each parameter
     */
    SubspaceAdamW(Settings settings, List<LearningRates.Factors> factors, List<Coordinates> coordinates) {
        super(settings, factors);
        this.coordinates = List.copyOf(coordinates);
        this.first = new INDArray[coordinates.size()];
        this.second = new INDArray[coordinates.size()];
    }

    @Override
    void take(List<INDArray> gradients) {
        drop();
        gradients.forEach(gradient -> requireFloat("a gradient", gradient));
        sum = List.copyOf(gradients);
    }

    @Override
    void add(List<INDArray> gradients, double weight) {
        for (int i = 0; i < gradients.size(); i++) {
            requireFloat("a gradient", gradients.get(i));
            sum.get(i).addi(gradients.get(i).muli(weight));
            free(gradients.get(i));
        }
    }

    @Override
    INDArray sum(int parameter) {
        return sum.get(parameter);
    }

    /** Of the parameters that the next update changes. */
    @Override
    public double norm(Slope slope) {
        double squares = 0;
        for (int i = 0; i < coordinates.size(); i++) {
            if (coordinates.get(i).age(steps() + 1) > 0) {
                try (INDArray gradient = gradient(i, slope);
                        INDArray exact = gradient.castTo(DataType.DOUBLE)) {
                    double norm = exact.norm2Number().doubleValue();
                    squares += norm * norm;
                }
            }
        }
        return Math.sqrt(squares);
    }

    @Override
    boolean move(List<INDArray> parameters, Slope slope, double learningRate) {
        for (int i = 0; i < coordinates.size(); i++) {
            long age = coordinates.get(i).age(steps());
            if (age <= 1) {
                forget(i);
            }
            if (age > 0) {
                move(i, age, parameters.get(i), slope, learningRate);
            }
        }
        drop();
        return areFinite(parameters);
    }

    private void move(int i, long age, INDArray parameter, Slope slope, double learningRate) {
        LearningRates.Factors factors = factors(i);
        double rate = learningRate * factors.learning();
        double decay = rate * settings().weightDecay() * factors.decay();
        if (decay != 0) {
            parameter.muli(1 - decay);
        }
        INDArray gradient = gradient(i, slope);
        INDArray reduced = coordinates.get(i).reduce(gradient, steps());
        INDArray step = step(i, age, reduced);
        INDArray whole = coordinates.get(i).expand(step);
        parameter.subi(whole.muli(rate));
        List.of(gradient, reduced, step, whole).forEach(Optimizer::free);
    }

    /** Updates the moments, and returns mhat / (sqrt(vhat) + eps). */
    private INDArray step(int i, long age, INDArray reduced) {
        double beta1 = settings().beta1();
        double beta2 = settings().beta2();
        INDArray m = held(first, i, reduced);
        INDArray v = held(second, i, reduced);
        INDArray scaled = reduced.mul(1 - beta1);
        m.muli(beta1).addi(scaled);
        v.muli(beta2).addi(scaled.assign(reduced).muli(reduced).muli(1 - beta2));
        free(scaled);
        INDArray root = Transforms.sqrt(v, true);
        root.divi(Math.sqrt(1 - Math.pow(beta2, (double) age))).addi(settings().epsilon());
        INDArray step = m.div(root).divi(1 - Math.pow(beta1, (double) age));
        free(root);
        return step;
    }

    private static INDArray held(@Nullable INDArray[] moments, int i, INDArray like) {
        INDArray moment = moments[i];
        if (moment == null) {
            moment = Nd4j.createUninitializedDetached(DataType.FLOAT, like.shape())
                    .assign(0);
            moments[i] = moment;
        }
        return moment;
    }

    private void forget(int i) {
        for (@Nullable INDArray[] moments : List.of(first, second)) {
            INDArray moment = moments[i];
            if (moment != null) {
                free(moment);
                moments[i] = null;
            }
        }
    }

    private void drop() {
        sum.forEach(Optimizer::free);
        sum = List.of();
    }

    @Override
    List<Kept> state() {
        List<Kept> kept = new ArrayList<>();
        for (int i = 0; i < coordinates.size(); i++) {
            keep(kept, FIRST, i, first[i]);
            keep(kept, SECOND, i, second[i]);
            keep(kept, BASIS, i, coordinates.get(i).basis());
        }
        return kept;
    }

    private static void keep(List<Kept> kept, String kind, int parameter, @Nullable INDArray array) {
        if (array != null) {
            kept.add(new Kept(kind, parameter, array));
        }
    }

    @Override
    void takeOver(Saved saved) {
        for (int i = 0; i < coordinates.size(); i++) {
            forget(i);
            Coordinates own = coordinates.get(i);
            own.restore(saved.find(BASIS, i));
            if (own.age(steps()) > 0) {
                first[i] = required(saved, FIRST, i, own.shape());
                second[i] = required(saved, SECOND, i, own.shape());
            }
        }
    }

    private static INDArray required(Saved saved, String kind, int parameter, long[] shape) {
        INDArray array = saved.find(kind, parameter);
        if (array == null || !Arrays.equals(array.shape(), shape)) {
            throw new InvalidInputException("the checkpoint "
                    + (array == null ? "has no moments" : "has moments of the shape " + Arrays.toString(array.shape()))
                    + " for trained tensor number " + (parameter + 1) + ", expected the shape " + Arrays.toString(shape)
                    + "; it belongs to another training, or is damaged");
        }
        return array.dup('c');
    }

    @Override
    List<INDArray> first() {
        return present(first);
    }

    @Override
    List<INDArray> second() {
        return present(second);
    }

    private static List<INDArray> present(@Nullable INDArray[] moments) {
        List<INDArray> all = new ArrayList<>();
        for (INDArray moment : moments) {
            if (moment != null) {
                all.add(moment);
            }
        }
        return all;
    }

    @Override
    public void close() {
        drop();
        for (int i = 0; i < first.length; i++) {
            forget(i);
        }
    }
}
