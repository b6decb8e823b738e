package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An operation at one size, with values of everything it reads. The loss is the sum of its elements times random numbers.
 *
 * @param name the operation and its size
 * @param program computes the outputs {@code loss} and {@code result}
 * @param values values of the leaves in row-major order
 * @param trained leaves to differentiate by
 */
record OpCase(String name, Program program, Map<String, double[]> values, Set<String> trained) {
    static final String LOSS = "loss";
    static final String RESULT = "result";

    /** Builds a case. */
    static OpCase of(String name, Function<Leaves, Tensor> operation) {
        Leaves leaves = new Leaves(name.hashCode());
        Tensor y = operation.apply(leaves);
        Random random = new Random(99);
        float[] weights = new float[Math.toIntExact(y.length())];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian();
        }
        ProgramBuilder builder = leaves.builder;
        Tensor factors =
                builder.literal("factors", Nd4j.createFromArray(weights).reshape(y.shape()));
        Tensor weighted = y.rank() == 0 ? y : builder.binary(BinaryKind.MULTIPLY, y, factors);
        int[] all = IntStream.range(0, y.rank()).toArray();
        Tensor loss = y.rank() == 0 ? y : builder.reduce(ReduceKind.SUM, weighted, all, false);
        return new OpCase(name, builder.build(Map.of(LOSS, loss, RESULT, y)), leaves.values, leaves.trained);
    }

    @Override
    public String toString() {
        return name;
    }

    /** Makes leaves with random values. */
    static final class Leaves {
        final ProgramBuilder builder = new ProgramBuilder();
        private final Map<String, double[]> values = new LinkedHashMap<>();
        private final Set<String> trained = new LinkedHashSet<>();
        private final Random random;

        Leaves(long seed) {
            random = new Random(seed);
        }

        /** A trained leaf of standard normal numbers. */
        Tensor normal(String name, long... shape) {
            return real(name, Random::nextGaussian, shape);
        }

        /** A trained leaf of numbers between 0.5 and 2. */
        Tensor positive(String name, long... shape) {
            return real(name, r -> 0.5 + 1.5 * r.nextDouble(), shape);
        }

        /** A leaf of standard normal numbers that no training changes. */
        Tensor frozen(String name, long... shape) {
            Tensor leaf = normal(name, shape);
            freeze(name);
            return leaf;
        }

        /** Says that no gradient by a leaf is wanted. */
        void freeze(String name) {
            trained.remove(name);
        }

        /** A trained leaf of distinct numbers, 0.01 or more apart, so that extremes have a derivative. */
        Tensor distinct(String name, long... shape) {
            int count = length(shape);
            double[] numbers = random.ints(0, count * 100)
                    .distinct()
                    .limit(count)
                    .asDoubleStream()
                    .map(x -> (x - 50.0 * count) / 100)
                    .toArray();
            return leaf(name, numbers, shape);
        }

        Tensor real(String name, java.util.function.ToDoubleFunction<Random> number, long... shape) {
            double[] numbers = new double[length(shape)];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (float) number.applyAsDouble(random);
            }
            return leaf(name, numbers, shape);
        }

        private Tensor leaf(String name, double[] numbers, long... shape) {
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (float) numbers[i];
            }
            values.put(name, numbers);
            trained.add(name);
            return builder.leaf(name, DataType.FLOAT, shape);
        }

        /** A leaf of whole numbers below a limit. */
        Tensor ids(String name, DataType type, int limit, long... shape) {
            values.put(
                    name, random.ints(length(shape), 0, limit).asDoubleStream().toArray());
            return builder.leaf(name, type, shape);
        }

        /** A draw of dropout that keeps a share. */
        Tensor draw(String name, double share) {
            values.put(name, new double[] {random.nextInt(), Math.rint(share * 4294967296.0)});
            return builder.leaf(name, DataType.LONG, 2);
        }

        private static int length(long... shape) {
            long length = 1;
            for (long size : shape) {
                length *= size;
            }
            return Math.toIntExact(length);
        }
    }
}
