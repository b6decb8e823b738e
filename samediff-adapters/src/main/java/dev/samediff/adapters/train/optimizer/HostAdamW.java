package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.kernel.AdamWUpdate;
import dev.samediff.adapters.engine.kernel.OneDnn;
import dev.samediff.adapters.engine.nd4j.Addresses;
import dev.samediff.adapters.engine.nd4j.Dense;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.train.LearningRates;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * AdamW in the host's memory: one pass over the arrays where they lie, by several threads. A batch's gradients are the
 * sum themselves until a second batch is added.
 */
final class HostAdamW extends Optimizer {
    private final AdamWUpdate update;
    private final List<Tensor> tensors = new ArrayList<>();
    private final List<INDArray> first = new ArrayList<>();
    private final List<INDArray> second = new ArrayList<>();
    private List<INDArray> sum = List.of();

    /**
     * Creates an optimizer without state.
     *
     * @param parameters the parameters, for their shapes
     * @param threads the most threads that compute at a time; the result does not depend on it
     */
    HostAdamW(Settings settings, List<INDArray> parameters, int threads) {
        this(settings, parameters, LearningRates.same(parameters.size()), threads);
    }

    /**
     * Creates an optimizer without state.
     *
     * @param parameters the parameters, for their shapes
     * @param factors of each parameter's learning rate and decay
     * @param threads the most threads that compute at a time; the result does not depend on it
     */
    HostAdamW(Settings settings, List<INDArray> parameters, List<LearningRates.Factors> factors, int threads) {
        super(settings, factors);
        update = new AdamWUpdate(settings.beta1(), settings.beta2(), settings.epsilon(), threads);
        for (INDArray parameter : parameters) {
            requireFloat("a parameter", parameter);
            first.add(zeros(parameter));
            second.add(zeros(parameter));
            Tensor tensor = new Tensor(operand(parameter), operand(parameter), operand(parameter));
            Operand m = operand(parameter);
            Operand v = operand(parameter);
            m.place(Addresses.of(first.get(tensors.size())));
            v.place(Addresses.of(second.get(tensors.size())));
            LearningRates.Factors own = factors(tensors.size());
            update.add(tensor.parameter, tensor.gradient, tensor.addend, m, v, own.learning(), own.decay());
            tensors.add(tensor);
        }
    }

    private record Tensor(Operand parameter, Operand gradient, Operand addend) {}

    /** Returns how many threads compute where an engine has these options. */
    static int threads(EngineOptions options) {
        if (options.threads() > 0) {
            return options.threads();
        }
        return OneDnn.isAvailable() ? OneDnn.threads() : Runtime.getRuntime().availableProcessors();
    }

    @Override
    void take(List<INDArray> gradients) {
        drop();
        sum = gradients.stream().map(HostAdamW::dense).toList();
        for (int i = 0; i < tensors.size(); i++) {
            tensors.get(i).gradient.place(Addresses.of(sum.get(i)));
        }
    }

    @Override
    void add(List<INDArray> gradients, double weight) {
        List<INDArray> batch = gradients.stream().map(HostAdamW::dense).toList();
        for (int i = 0; i < tensors.size(); i++) {
            tensors.get(i).addend.place(Addresses.of(batch.get(i)));
        }
        update.merge(1, weight);
        tensors.forEach(tensor -> tensor.addend.place(0));
        batch.forEach(Optimizer::free); // also keeps them until here
    }

    @Override
    INDArray sum(int parameter) {
        return sum.get(parameter);
    }

    @Override
    public double norm(Slope slope) {
        List<INDArray> held = place(slope);
        double norm = Math.sqrt(update.squares(slope.factor(), slope.coefficient()));
        release(held);
        return norm;
    }

    @Override
    boolean move(List<INDArray> parameters, Slope slope, double learningRate) {
        List<INDArray> held = place(slope);
        List<INDArray> dense = parameters.stream().map(Dense::of).toList();
        for (int i = 0; i < tensors.size(); i++) {
            tensors.get(i).parameter.place(Addresses.of(dense.get(i)));
        }
        boolean finite =
                update.run(steps(), learningRate, settings().weightDecay(), slope.factor(), slope.coefficient());
        for (int i = 0; i < dense.size(); i++) {
            if (dense.get(i) != parameters.get(i)) {
                parameters.get(i).assign(dense.get(i));
                free(dense.get(i));
            }
        }
        Reference.reachabilityFence(dense);
        release(held);
        drop();
        return finite;
    }

    /** Gives the addends their places; the arrays returned must live until {@link #release}. */
    private List<INDArray> place(Slope slope) {
        List<INDArray> held = new ArrayList<>();
        slope.addends().forEach((index, addend) -> {
            requireFloat("the gradient of a penalty", addend);
            INDArray array = Dense.of(addend);
            held.add(array);
            tensors.get(index).addend.place(Addresses.of(array));
        });
        return held;
    }

    private void release(List<INDArray> held) {
        tensors.forEach(tensor -> tensor.addend.place(0));
        Reference.reachabilityFence(held);
    }

    private void drop() {
        tensors.forEach(tensor -> tensor.gradient.place(0));
        sum.forEach(Optimizer::free);
        sum = List.of();
    }

    /** Returns an array that is the optimizer's own, in row-major order. */
    private static INDArray dense(INDArray array) {
        requireFloat("a gradient", array);
        INDArray dense = Dense.of(array);
        if (dense != array) {
            free(array);
        }
        return dense;
    }

    private static Operand operand(INDArray like) {
        return Operand.dense(DataType.FLOAT, like.length());
    }

    private static INDArray zeros(INDArray like) {
        return Nd4j.createUninitializedDetached(DataType.FLOAT, like.shape()).assign(0);
    }

    @Override
    List<INDArray> first() {
        return first;
    }

    @Override
    List<INDArray> second() {
        return second;
    }

    @Override
    public void close() {
        drop();
        first.forEach(Optimizer::free);
        second.forEach(Optimizer::free);
    }
}
