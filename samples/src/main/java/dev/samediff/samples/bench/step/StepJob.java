package dev.samediff.samples.bench.step;

import dev.samediff.adapters.method.Sorsa;
import dev.samediff.samples.bench.network.Network;
import dev.samediff.samples.bench.network.Workload;

/**
 * What one process measures; it gets this as a line of JSON. One step is: forward, backward, clipping of the gradients'
 * common norm at 1, the gradient of SORSA's regulariser, AdamW at a constant rate.
 *
 * @param folder the {@link Workload}
 * @param layers the network's number of blocks, for programs that cannot read it from the ONNX file
 * @param heads its attention heads
 * @param length tokens per text
 * @param method {@code lora}, {@code sorsa}, or {@code sorsa-dense}, the SORSA authors' dense layer
 * @param gamma weight of SORSA's regulariser
 * @param learningRate eta_max and the rate of every step
 * @param precision {@code f32} or {@code bf16}
 * @param threads how many threads compute
 * @param warmUp steps before the measured ones
 * @param steps measured steps
 */
public record StepJob(
        String folder,
        int layers,
        int heads,
        int length,
        String method,
        double gamma,
        double learningRate,
        Precision precision,
        int threads,
        int warmUp,
        int steps) {
    /** As large as is usual, so that a few steps change the loss by more than rounding. */
    private static final double LEARNING_RATE = 1e-3;

    /** Returns the job of measuring one configuration. */
    static StepJob of(Configuration measured, Workload workload, Effort effort) {
        Network network = measured.network();
        return new StepJob(
                workload.folder().toAbsolutePath().toString(),
                network.layers(),
                network.heads(),
                network.length(),
                measured.method(),
                Sorsa.DEFAULT_GAMMA,
                LEARNING_RATE,
                measured.precision(),
                measured.threads(),
                effort.warmUp(),
                effort.steps());
    }

    StepJob withMethod(String other) {
        return new StepJob(
                folder, layers, heads, length, other, gamma, learningRate, precision, threads, warmUp, steps);
    }

    /**
     * What is trained, and how.
     *
     * @param network the network
     * @param method the adapters
     * @param precision of the frozen weights' products
     * @param threads how many threads compute
     */
    public record Configuration(Network network, String method, Precision precision, int threads) {
        Configuration withThreads(int other) {
            return new Configuration(network, method, precision, other);
        }

        Configuration withMethod(String other) {
            return new Configuration(network, other, precision, threads);
        }

        Configuration withPrecision(Precision other) {
            return new Configuration(network, method, other, threads);
        }

        @Override
        public String toString() {
            return network + ", " + method + ", " + precision.label() + ", threads: " + threads;
        }
    }

    /**
     * How long to measure.
     *
     * @param warmUp steps before the measured ones
     * @param steps measured steps
     */
    public record Effort(int warmUp, int steps) {
        private static final double WORTH = 1e11;

        /** Returns more steps for smaller networks: 20 and 27 for the small standard one, 3 and 5 for the largest. */
        static Effort of(Network network) {
            double width = network.width();
            double products = (12 * width * width * network.layers() + width * network.vocabulary()) * network.tokens();
            int steps = (int) Math.min(WORTH / products, 30);
            return new Effort(Math.max(3, Math.min(20, steps)), Math.max(5, steps));
        }
    }
}
