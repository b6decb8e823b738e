package dev.samediff.adapters.engine.kernel;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * AdamW as PyTorch defines it over any number of tensors in one pass, where they lie:
 *
 * <pre>
 * g = gradient factor
 * m = b1 m + (1 - b1) g
 * v = b2 v + (1 - b2) g^2
 * p = p (1 - lr wd) - lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
 * </pre>
 *
 * <p>The arithmetic is that of {@code train.AdamW} bit by bit, for a factor of 1. Numbers go through small arrays in the
 * Java heap, for which the compiler makes vector code.
 */
public final class AdamWUpdate {
    private static final int CHUNK = 2048;

    private final double beta1;
    private final double beta2;
    private final float epsilon;
    private final List<Entry> entries = new ArrayList<>();
    private final float[] p = new float[CHUNK];
    private final float[] g = new float[CHUNK];
    private final float[] m = new float[CHUNK];
    private final float[] v = new float[CHUNK];

    /**
     * Makes an update without parameters.
     *
     * @param beta1 decay of the mean of gradients
     * @param beta2 decay of the mean of squared gradients
     * @param epsilon added to the root
     */
    public AdamWUpdate(double beta1, double beta2, double epsilon) {
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = (float) epsilon;
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
        for (Operand operand : List.of(parameter, gradient, first, second)) {
            if (operand.type() != DataType.FLOAT
                    || !operand.isDense()
                    || operand.length() != parameter.length()
                    || operand.length() >= 1L << 29) {
                throw new IllegalArgumentException("AdamW: an operand is " + operand + " beside the parameter "
                        + parameter + "; expected dense FLOAT tensors of one length below 2^29");
            }
        }
        entries.add(new Entry(
                (int) parameter.length(), new View(parameter), new View(gradient), new View(first), new View(second)));
    }

    /**
     * Updates all parameters.
     *
     * @param step t, from 1
     * @param learningRate lr
     * @param weightDecay wd
     * @param factor of the gradients, such as that of clipping; 1 leaves them as they are
     * @throws IllegalStateException if an operand has no place yet
     */
    public void run(long step, double learningRate, double weightDecay, double factor) {
        float decay = (float) (1 - learningRate * weightDecay);
        float stepSize = (float) -(learningRate / (1 - Math.pow(beta1, step)));
        float root = (float) Math.sqrt(1 - Math.pow(beta2, step));
        for (Entry entry : entries) {
            FloatBuffer parameter = entry.parameter.buffer();
            FloatBuffer gradient = entry.gradient.buffer();
            FloatBuffer first = entry.first.buffer();
            FloatBuffer second = entry.second.buffer();
            for (int start = 0; start < entry.length; start += CHUNK) {
                int count = Math.min(CHUNK, entry.length - start);
                parameter.get(start, p, 0, count);
                gradient.get(start, g, 0, count);
                first.get(start, m, 0, count);
                second.get(start, v, 0, count);
                moments(count, (float) factor);
                move(count, decay, stepSize, root);
                parameter.put(start, p, 0, count);
                first.put(start, m, 0, count);
                second.put(start, v, 0, count);
            }
        }
    }

    private void moments(int count, float factor) {
        float b1 = (float) beta1;
        float b2 = (float) beta2;
        float gain1 = (float) (1 - beta1);
        float gain2 = (float) (1 - beta2);
        for (int i = 0; i < count; i++) {
            float gradient = g[i] * factor;
            m[i] = m[i] * b1 + gain1 * gradient;
            v[i] = v[i] * b2 + gain2 * gradient * gradient;
        }
    }

    private void move(int count, float decay, float stepSize, float root) {
        for (int i = 0; i < count; i++) {
            float denominator = (float) Math.sqrt(v[i]) / root + epsilon;
            p[i] = p[i] * decay + stepSize * m[i] / denominator;
        }
    }

    private record Entry(int length, View parameter, View gradient, View first, View second) {}

    /** The memory of an operand as a buffer, made anew when it has moved. */
    private static final class View {
        private final Operand operand;
        private final Address pointer = new Address();
        private FloatBuffer buffer = FloatBuffer.allocate(0);
        private long address;

        View(Operand operand) {
            this.operand = operand;
        }

        FloatBuffer buffer() {
            if (operand.address() == 0) {
                throw new IllegalStateException("AdamW: " + operand + " has no place in memory yet");
            }
            if (operand.address() != address) {
                address = operand.address();
                Pointer floats = new FloatPointer(pointer.at(address)).capacity(operand.length());
                buffer = (FloatBuffer) floats.asBuffer();
            }
            return buffer;
        }
    }
}
