package dev.samediff.adapters.train.optimizer;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.floating.Sqrt;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * AdamW by ND4J's operations, on whatever device its arrays lie. All parameters together are one vector, so that the
 * number of operations hardly depends on the number of parameters; nothing but the norm is read by the host.
 */
final class DeviceAdamW extends AdamW {
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
        super(settings);
        parameters.forEach(parameter -> requireFloat("a parameter", parameter));
        sum = Flat.like(parameters);
        slope = Flat.like(parameters);
        work = Flat.like(parameters);
        first = Flat.like(parameters);
        second = Flat.like(parameters);
        doubles = Nd4j.createUninitializedDetached(DataType.DOUBLE, sum.vector.length());
    }

    /**
     * Arrays of several shapes behind each other.
     *
     * @param vector all elements
     * @param parts the arrays, views of the vector
     */
    private record Flat(INDArray vector, List<INDArray> parts) {
        static Flat like(List<INDArray> arrays) {
            long length = arrays.stream().mapToLong(INDArray::length).sum();
            INDArray vector =
                    Nd4j.createUninitializedDetached(DataType.FLOAT, length).assign(0);
            List<INDArray> parts = new ArrayList<>();
            long start = 0;
            for (INDArray array : arrays) {
                long end = start + array.length();
                parts.add(vector.get(NDArrayIndex.interval(start, end)).reshape('c', array.shape()));
                start = end;
            }
            return new Flat(vector, parts);
        }

        void assign(List<INDArray> arrays) {
            for (int i = 0; i < parts.size(); i++) {
                requireFloat("a gradient", arrays.get(i));
                parts.get(i).assign(arrays.get(i));
                free(arrays.get(i));
            }
        }
    }

    @Override
    void take(List<INDArray> gradients) {
        sum.assign(gradients);
    }

    @Override
    void add(List<INDArray> gradients, double weight) {
        work.assign(gradients);
        sum.vector.addi(work.vector.muli(weight));
    }

    @Override
    INDArray sum(int parameter) {
        return sum.parts.get(parameter);
    }

    @Override
    public double norm(Slope wanted) {
        compute(wanted);
        return doubles.assign(slope.vector).norm2Number().doubleValue();
    }

    /** Puts the slope into its vector. */
    private void compute(Slope wanted) {
        sum.vector.muli(wanted.factor(), slope.vector);
        if (wanted.coefficient() != 0) {
            wanted.addends().forEach((index, addend) -> {
                INDArray part = work.parts.get(index);
                addend.muli(wanted.coefficient(), part);
                slope.parts.get(index).addi(part);
            });
        }
    }

    @Override
    void move(List<INDArray> parameters, Slope wanted, double learningRate) {
        compute(wanted);
        Settings s = settings();
        INDArray g = slope.vector;
        INDArray m = first.vector;
        INDArray v = second.vector;
        INDArray w = work.vector;
        m.muli(s.beta1()).addi(g.muli(1 - s.beta1(), w));
        g.muli(1 - s.beta2(), w);
        v.muli(s.beta2()).addi(w.muli(g));
        Nd4j.exec(new Sqrt(v, w));
        w.divi(Math.sqrt(1 - Math.pow(s.beta2(), steps()))).addi(s.epsilon());
        m.muli(-(learningRate / (1 - Math.pow(s.beta1(), steps()))), g).divi(w);
        for (int i = 0; i < parameters.size(); i++) {
            INDArray parameter = parameters.get(i);
            if (s.weightDecay() != 0) {
                parameter.muli(1 - learningRate * s.weightDecay());
            }
            parameter.addi(slope.parts.get(i));
        }
    }

    @Override
    List<INDArray> first() {
        return first.parts;
    }

    @Override
    List<INDArray> second() {
        return second.parts;
    }

    /** Returns the bytes of everything held. */
    long bytes() {
        return everything()
                .mapToLong(array -> array.length() * array.dataType().width())
                .sum();
    }

    private Stream<INDArray> everything() {
        return Stream.of(sum.vector, slope.vector, work.vector, first.vector, second.vector, doubles);
    }

    @Override
    public void close() {
        everything().forEach(AdamW::free);
    }
}
