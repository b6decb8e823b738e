package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Operand;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * AdamW as PyTorch defines it over any number of tensors in one pass, where they lie:
 *
 * <pre>
 * g = factor gradient + coefficient addend
 * m = b1 m + (1 - b1) g
 * v = b2 v + (1 - b2) g^2
 * p = p (1 - lr wd) - lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
 * </pre>
 *
 * <p>The addend is the gradient of another batch or of a penalty; where it has no place, or the coefficient is 0, it is
 * not read. Numbers go through small arrays in the Java heap, for which the compiler makes vector code. Tensors are cut
 * into pieces of a fixed size that threads take in any order, and the pieces' sums are added in theirs, so the result has
 * the same bits for any number of threads.
 */
public final class AdamWUpdate {
    /** Elements that are in the heap at a time: five arrays stay in the first cache. */
    private static final int CHUNK = 1024;
    /** Elements that a thread takes at a time. */
    private static final int PIECE = 16 * CHUNK;

    private final double beta1;
    private final double beta2;
    private final float epsilon;
    private final Team team;
    private final Lanes[] lanes;
    private final List<Entry> entries = new ArrayList<>();
    private final List<Piece> pieces = new ArrayList<>();

    /**
     * Makes an update without parameters that runs on the calling thread.
     *
     * @param beta1 decay of the mean of gradients
     * @param beta2 decay of the mean of squared gradients
     * @param epsilon added to the root
     */
    public AdamWUpdate(double beta1, double beta2, double epsilon) {
        this(beta1, beta2, epsilon, 1);
    }

    /**
     * Makes an update without parameters.
     *
     * @param beta1 decay of the mean of gradients
     * @param beta2 decay of the mean of squared gradients
     * @param epsilon added to the root
     * @param threads the most threads that compute at a time
     * @throws IllegalArgumentException if that is less than 1
     */
    public AdamWUpdate(double beta1, double beta2, double epsilon, int threads) {
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = (float) epsilon;
        this.team = new Team(threads);
        this.lanes = new Lanes[threads];
        for (int i = 0; i < threads; i++) {
            lanes[i] = new Lanes();
        }
    }

    /**
     * Adds a parameter. All operands are dense FLOAT tensors of one length below 2^29.
     *
     * @param parameter updated in place
     * @param gradient read
     * @param first mean of gradients, updated in place
     * @param second mean of squared gradients, updated in place
     * @throws IllegalArgumentException if an operand is none of that
     */
    public void add(Operand parameter, Operand gradient, Operand first, Operand second) {
        add(parameter, gradient, Operand.dense(DataType.FLOAT, parameter.shape()), first, second);
    }

    /**
     * Adds a parameter with an addend to its gradient. All operands are dense FLOAT tensors of one length below 2^29.
     *
     * @param parameter updated in place
     * @param gradient read
     * @param addend read where it has a place, otherwise zero
     * @param first mean of gradients, updated in place
     * @param second mean of squared gradients, updated in place
     * @throws IllegalArgumentException if an operand is none of that
     */
    public void add(Operand parameter, Operand gradient, Operand addend, Operand first, Operand second) {
        add(parameter, gradient, addend, first, second, 1, 1);
    }

    /**
     * The same for a parameter with a learning rate of its own.
     *
     * @param learning what the learning rate is multiplied by
     * @param decaying what the weight decay is multiplied by, beside that
     */
    public void add(
            Operand parameter,
            Operand gradient,
            Operand addend,
            Operand first,
            Operand second,
            double learning,
            double decaying) {
        for (Operand operand : List.of(parameter, gradient, addend, first, second)) {
            if (operand.type() != DataType.FLOAT
                    || !operand.isDense()
                    || operand.length() != parameter.length()
                    || operand.length() >= 1L << 29) {
                throw new IllegalArgumentException("AdamW: an operand is " + operand + " beside the parameter "
                        + parameter + "; expected dense FLOAT tensors of one length below 2^29");
            }
        }
        Entry entry = new Entry(
                new View(parameter),
                new View(gradient),
                new View(addend),
                new View(first),
                new View(second),
                learning,
                decaying);
        entries.add(entry);
        int length = (int) parameter.length();
        for (int start = 0; start < length; start += PIECE) {
            pieces.add(new Piece(entry, start, Math.min(length, start + PIECE)));
        }
    }

    /**
     * Replaces every gradient by {@code factor gradient + coefficient addend}.
     *
     * @throws IllegalStateException if a gradient has no place yet
     */
    public void merge(double factor, double coefficient) {
        locate(true);
        team.run(pieces.size(), (number, member) -> {
            Lanes lane = lanes[member];
            Piece piece = pieces.get(number);
            for (int start = piece.start; start < piece.end; start += CHUNK) {
                int count = Math.min(CHUNK, piece.end - start);
                lane.slope(piece.entry, start, count, (float) factor, (float) coefficient);
                piece.entry.gradient.buffer.put(start, lane.g, 0, count);
            }
        });
    }

    /**
     * Returns the sum of the squares of {@code factor gradient + coefficient addend} over all parameters, in float64.
     *
     * @throws IllegalStateException if a gradient has no place yet
     */
    public double squares(double factor, double coefficient) {
        locate(true);
        double[] sums = new double[pieces.size()];
        team.run(sums.length, (number, member) -> {
            Lanes lane = lanes[member];
            Piece piece = pieces.get(number);
            double sum = 0;
            for (int start = piece.start; start < piece.end; start += CHUNK) {
                int count = Math.min(CHUNK, piece.end - start);
                lane.slope(piece.entry, start, count, (float) factor, (float) coefficient);
                sum += Lanes.squares(lane.g, count);
            }
            sums[number] = sum;
        });
        double total = 0;
        for (double sum : sums) {
            total += sum;
        }
        return total;
    }

    /**
     * Updates all parameters by their gradients alone.
     *
     * @param step t, from 1
     * @param learningRate lr
     * @param weightDecay wd
     * @param factor of the gradients, such as that of clipping; 1 leaves them as they are
     * @return whether all parameters are finite now
     * @throws IllegalStateException if an operand has no place yet
     */
    public boolean run(long step, double learningRate, double weightDecay, double factor) {
        return run(step, learningRate, weightDecay, factor, 0);
    }

    /**
     * Updates all parameters.
     *
     * @param step t, from 1
     * @param learningRate lr
     * @param weightDecay wd
     * @param factor of the gradients, such as that of clipping; 1 leaves them as they are
     * @param coefficient of the addends
     * @return whether all parameters are finite now
     * @throws IllegalStateException if an operand has no place yet
     */
    public boolean run(long step, double learningRate, double weightDecay, double factor, double coefficient) {
        double correction = 1 - Math.pow(beta1, step);
        float root = (float) Math.sqrt(1 - Math.pow(beta2, step));
        AtomicBoolean finite = new AtomicBoolean(true);
        locate(false);
        team.run(pieces.size(), (number, member) -> {
            Lanes lane = lanes[member];
            Piece piece = pieces.get(number);
            Entry entry = piece.entry;
            double rate = learningRate * entry.learning;
            float decay = (float) (1 - rate * weightDecay * entry.decaying);
            float stepSize = (float) -(rate / correction);
            for (int start = piece.start; start < piece.end; start += CHUNK) {
                int count = Math.min(CHUNK, piece.end - start);
                lane.slope(entry, start, count, (float) factor, (float) coefficient);
                entry.parameter.buffer.get(start, lane.p, 0, count);
                entry.first.buffer.get(start, lane.m, 0, count);
                entry.second.buffer.get(start, lane.v, 0, count);
                moments(lane, count);
                move(lane, count, decay, stepSize, root);
                entry.parameter.buffer.put(start, lane.p, 0, count);
                entry.first.buffer.put(start, lane.m, 0, count);
                entry.second.buffer.put(start, lane.v, 0, count);
                if (!Double.isFinite(Lanes.squares(lane.p, count))) { // of floats it cannot overflow
                    finite.set(false);
                }
            }
        });
        return finite.get();
    }

    private void moments(Lanes lane, int count) {
        float[] g = lane.g;
        float[] m = lane.m;
        float[] v = lane.v;
        float b1 = (float) beta1;
        float b2 = (float) beta2;
        float gain1 = (float) (1 - beta1);
        float gain2 = (float) (1 - beta2);
        for (int i = 0; i < count; i++) {
            m[i] = m[i] * b1 + gain1 * g[i];
            v[i] = v[i] * b2 + gain2 * g[i] * g[i];
        }
    }

    private void move(Lanes lane, int count, float decay, float stepSize, float root) {
        float[] p = lane.p;
        float[] m = lane.m;
        float[] v = lane.v;
        for (int i = 0; i < count; i++) {
            float denominator = (float) Math.sqrt(v[i]) / root + epsilon;
            p[i] = p[i] * decay + stepSize * m[i] / denominator;
        }
    }

    /** Finds the operands' memory on the calling thread, before others read the buffers. */
    private void locate(boolean gradientsOnly) {
        for (Entry entry : entries) {
            entry.gradient.locate(true);
            entry.addend.locate(false);
            if (!gradientsOnly) {
                entry.parameter.locate(true);
                entry.first.locate(true);
                entry.second.locate(true);
            }
        }
    }

    private record Entry(
            View parameter, View gradient, View addend, View first, View second, double learning, double decaying) {}

    /** The elements of an entry from {@code start} to {@code end}. */
    private record Piece(Entry entry, int start, int end) {}

    /** A thread's small arrays. */
    private static final class Lanes {
        final float[] p = new float[CHUNK];
        final float[] g = new float[CHUNK];
        final float[] a = new float[CHUNK];
        final float[] m = new float[CHUNK];
        final float[] v = new float[CHUNK];

        /** Puts {@code factor gradient + coefficient addend} into g. */
        void slope(Entry entry, int start, int count, float factor, float coefficient) {
            entry.gradient.buffer.get(start, g, 0, count);
            if (coefficient == 0 || !entry.addend.isPlaced()) {
                scale(count, factor);
            } else {
                entry.addend.buffer.get(start, a, 0, count);
                combine(count, factor, coefficient);
            }
        }

        private void scale(int count, float factor) {
            for (int i = 0; i < count; i++) {
                g[i] *= factor;
            }
        }

        private void combine(int count, float factor, float coefficient) {
            for (int i = 0; i < count; i++) {
                g[i] = g[i] * factor + coefficient * a[i];
            }
        }

        /** Four sums, because one would wait for each addition before the next. */
        static double squares(float[] x, int count) {
            double s0 = 0;
            double s1 = 0;
            double s2 = 0;
            double s3 = 0;
            int i = 0;
            for (; i + 3 < count; i += 4) {
                s0 += (double) x[i] * x[i];
                s1 += (double) x[i + 1] * x[i + 1];
                s2 += (double) x[i + 2] * x[i + 2];
                s3 += (double) x[i + 3] * x[i + 3];
            }
            for (; i < count; i++) {
                s0 += (double) x[i] * x[i];
            }
            return (s0 + s1) + (s2 + s3);
        }
    }

    /** The memory of an operand as a buffer, made anew when it has moved. */
    private static final class View {
        private final Operand operand;
        private FloatBuffer buffer = FloatBuffer.allocate(0);
        private long address;

        View(Operand operand) {
            this.operand = operand;
        }

        boolean isPlaced() {
            return address != 0;
        }

        void locate(boolean required) {
            if (operand.address() == 0 && required) {
                throw new IllegalStateException("AdamW: " + operand + " has no place in memory yet");
            }
            if (operand.address() != address) {
                address = operand.address();
                if (address != 0) {
                    FloatPointer floats = new FloatPointer(new Address().at(address)).capacity(operand.length());
                    buffer = floats.asBuffer();
                }
            }
        }
    }
}
