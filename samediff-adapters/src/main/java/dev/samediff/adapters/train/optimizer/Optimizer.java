package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.LearningRates;
import dev.samediff.adapters.train.Subspace;
import dev.samediff.adapters.train.TrainingPlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.BooleanIndexing;
import org.nd4j.linalg.indexing.conditions.Conditions;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * What happens between the gradients of batches and the next values of the parameters: a weighted sum, its norm, and a step, which is
 * that of one of ND4J's updaters ({@link UpdaterOptimizer}), or of AdamW
 * (Loshchilov and Hutter 2019) as PyTorch defines it, for parameters p with gradient g at step t = 1, 2, ...:
 *
 * <pre>
 * p = p (1 - lr wd)
 * m = b1 m + (1 - b1) g
 * v = b2 v + (1 - b2) g^2
 * p = p - lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
 * </pre>
 *
 * <p>ND4J's Adam puts eps inside the bias correction and has no decoupled weight decay. Gradients and moments stay where
 * the parameters are: {@link HostAdamW} computes in the memory of the host, {@link DeviceAdamW} by ND4J's operations.
 */
public abstract sealed class Optimizer implements AutoCloseable
        permits HostAdamW, DeviceAdamW, SubspaceAdamW, UpdaterOptimizer {
    static final String FIRST = "adamw.m";
    static final String SECOND = "adamw.v";
    static final String BASIS = "subspace.basis";

    private final List<LearningRates.Factors> factors;
    private final Settings settings;
    private long steps;

    Optimizer(Settings settings, List<LearningRates.Factors> factors) {
        this.settings = settings;
        this.factors = List.copyOf(factors);
    }

    /**
     * What AdamW is told once.
     *
     * @param beta1 decay of the mean of gradients
     * @param beta2 decay of the mean of squared gradients
     * @param epsilon added to the root
     * @param weightDecay decoupled weight decay
     */
    record Settings(double beta1, double beta2, double epsilon, double weightDecay) {
        static Settings of(TrainingPlan plan) {
            return new Settings(plan.beta1(), plan.beta2(), plan.epsilon(), plan.weightDecay());
        }
    }

    /**
     * Returns an optimizer without state for this process's backend.
     *
     * @param plan the settings, and how many threads compute on the CPU
     * @param names the parameters' names
     * @param paths their names by modules, which tell the layers apart
     * @param parameters the parameters, for their shapes
     * @throws InvalidInputException if one of them is not FLOAT, or the plan's rule has nothing to do with them
     */
    public static Optimizer of(TrainingPlan plan, List<String> names, List<String> paths, List<INDArray> parameters) {
        Settings settings = Settings.of(plan);
        List<LearningRates.Factors> factors = IntStream.range(0, names.size())
                .mapToObj(i -> plan.learningRates().of(names.get(i), parameters.get(i), plan.peak()))
                .toList();
        IUpdater updater = plan.updater();
        if (updater != null) {
            return new UpdaterOptimizer(updater, settings, parameters, factors);
        }
        Subspace rule = plan.subspace();
        if (rule != null) {
            return new SubspaceAdamW(settings, factors, Coordinates.of(rule, plan, paths, parameters));
        }
        return Nd4j.getEnvironment().isCPU()
                ? new HostAdamW(settings, parameters, factors, HostAdamW.threads(plan.engine()))
                : new DeviceAdamW(settings, parameters, factors);
    }

    /**
     * Starts a sum.
     *
     * @param gradients FLOAT, shaped as the parameters, in their order; they belong to this from now on
     */
    abstract void take(List<INDArray> gradients);

    /**
     * Adds {@code weight * gradients} to the sum.
     *
     * @param gradients as for {@link #take}
     */
    abstract void add(List<INDArray> gradients, double weight);

    /** Returns the Euclidean norm over all parameters. */
    public abstract double norm(Slope slope);

    /**
     * Returns a copy of the gradient of one parameter, before {@link #update} ends the sum.
     *
     * @param parameter its index
     * @param slope the gradient of all
     */
    final INDArray gradient(int parameter, Slope slope) {
        INDArray gradient = sum(parameter).mul(slope.factor());
        INDArray addend = slope.addends().get(parameter);
        if (addend != null) {
            try (INDArray scaled = addend.mul(slope.coefficient())) {
                gradient.addi(scaled);
            }
        }
        return gradient;
    }

    /** Returns the sum of gradients of one parameter, not a copy. */
    abstract INDArray sum(int parameter);

    /**
     * Updates parameters in place, and ends the sum.
     *
     * @param parameters always the same in the same order
     * @param slope the gradient
     * @param learningRate lr
     * @return whether all parameters are finite now
     */
    public final boolean update(List<INDArray> parameters, Slope slope, double learningRate) {
        steps++;
        return move(parameters, slope, learningRate);
    }

    /** Returns whether no number is NaN or infinite. */
    static boolean areFinite(List<INDArray> arrays) {
        return arrays.stream().allMatch(Optimizer::isFinite);
    }

    static boolean isFinite(INDArray array) {
        return !BooleanIndexing.or(array, Conditions.notFinite());
    }

    abstract boolean move(List<INDArray> parameters, Slope slope, double learningRate);

    abstract List<INDArray> first();

    abstract List<INDArray> second();

    /** What the learning rate and the decay of a parameter are multiplied by. */
    final LearningRates.Factors factors(int parameter) {
        return factors.get(parameter);
    }

    final Settings settings() {
        return settings;
    }

    /** Returns the number of updates so far. */
    public final long steps() {
        return steps;
    }

    /** Returns the first moments by parameter, not copies; empty before the first update. */
    public final List<INDArray> firstMoments() {
        return steps == 0 ? List.of() : first();
    }

    /** Returns the second moments by parameter, not copies; empty before the first update. */
    public final List<INDArray> secondMoments() {
        return steps == 0 ? List.of() : second();
    }

    /**
     * An array of the state.
     *
     * @param kind what it is
     * @param parameter the index of its parameter
     * @param array the array itself, not a copy
     */
    public record Kept(String kind, int parameter, INDArray array) {}

    /** Finds what was kept. */
    @FunctionalInterface
    public interface Saved {
        /** Returns an array by kind and index of its parameter, or null if there is none. */
        @Nullable
        INDArray find(String kind, int parameter);
    }

    /** Returns the arrays of the state beside the number of updates; none before the first. */
    public final List<Kept> kept() {
        return steps == 0 ? List.of() : state();
    }

    /**
     * Takes over a saved state.
     *
     * @throws InvalidInputException if it is not one of this
     */
    public final void restore(long savedSteps, Saved saved) {
        steps = savedSteps;
        takeOver(saved);
    }

    List<Kept> state() {
        List<Kept> kept = new ArrayList<>();
        collect(FIRST, first(), kept);
        collect(SECOND, second(), kept);
        return kept;
    }

    private static void collect(String kind, List<INDArray> arrays, List<Kept> kept) {
        IntStream.range(0, arrays.size()).forEach(i -> kept.add(new Kept(kind, i, arrays.get(i))));
    }

    /** No moments at all mean zeros. */
    void takeOver(Saved saved) {
        overwrite(FIRST, first(), saved);
        overwrite(SECOND, second(), saved);
    }

    private static void overwrite(String kind, List<INDArray> moments, Saved saved) {
        for (int i = 0; i < moments.size(); i++) {
            INDArray own = moments.get(i);
            INDArray found = saved.find(kind, i);
            if ((found == null) != (saved.find(kind, 0) == null)
                    || (found != null && !Arrays.equals(found.shape(), own.shape()))) {
                throw new InvalidInputException("the checkpoint has "
                        + (found == null ? "none" : "the shape " + Arrays.toString(found.shape())) + " for `" + kind
                        + "` of trained tensor number " + (i + 1) + ", expected " + Arrays.toString(own.shape())
                        + "; it belongs to another model");
            }
            if (found == null) {
                own.assign(0);
            } else {
                own.assign(found);
            }
        }
    }

    @Override
    public abstract void close();

    public static void requireFloat(String what, INDArray array) {
        if (array.dataType() != DataType.FLOAT) {
            throw new InvalidInputException("the trainer works on FLOAT parameters and gradients, " + what + " is "
                    + array.dataType() + "; cast it first");
        }
    }

    /** Frees an array that nobody else has. */
    static void free(INDArray array) {
        if (array.closeable() && !array.wasClosed()) {
            array.close();
        }
    }
}
