package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Slices of known and open axes, by constants and by numbers that are computed from sizes, of both signs, with steps of both
 * signs, at four sets of sizes: what ONNX Runtime gives, or an exception where it gives nothing. Others:
 * {@code -Dslices.seed=N -Dslices.count=N}.
 */
class RandomSlicesTest {
    private static final long FIRST = Long.getLong("slices.seed", 0);
    private static final int COUNT = Integer.getInteger("slices.count", 300);

    @TempDir
    Path folder;

    @Test
    void slices_are_those_of_onnx_runtime_or_nothing() {
        List<String> failures = new ArrayList<>();
        int compared = 0;
        for (long seed = FIRST; seed < FIRST + COUNT; seed++) {
            Slice slice = new Slice(new Random(seed * 7919 + 13));
            for (int sample = 0; sample < 4; sample++) {
                Outcome outcome = run(slice, sample);
                compared += outcome.compared() ? 1 : 0;
                if (outcome.failure().isPresent()) {
                    failures.add("seed " + seed + ", sample " + sample + ": " + slice + " "
                            + outcome.failure().get());
                    break;
                }
            }
        }
        assertThat(failures).as(String.join("\n", failures)).isEmpty();
        assertThat(compared).as("slices that have elements").isGreaterThan(COUNT);
    }

    private static double[] values(INDArray array) {
        return array.castTo(DataType.DOUBLE).dup('c').data().asDouble();
    }

    private record Outcome(boolean compared, Optional<String> failure) {}

    private Outcome run(Slice slice, int sample) {
        Path file = slice.model().write(folder);
        Map<String, INDArray> inputs = slice.inputs(sample);
        INDArray expected;
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            expected = runtime.run(inputs).get("y");
        }
        try {
            INDArray actual = OnnxVerifier.run(OnnxImporter.load(file), inputs).get("y");
            boolean same = Arrays.equals(actual.shape(), expected.shape())
                    && (actual.isEmpty() || Arrays.equals(values(actual), values(expected)));
            return new Outcome(
                    !expected.isEmpty(),
                    same ? Optional.empty() : Optional.of("gives\n" + actual + "\ninstead of\n" + expected));
        } catch (RuntimeException e) {
            // ND4J has no tensors without elements in most of its operators
            return new Outcome(false, expected.isEmpty() ? Optional.empty() : Optional.of("throws " + e));
        }
    }

    /** A bound: a number, plus a factor times the size of the axis, plus one times the length of another input. */
    private record Bound(long number, int ofSize, int ofLength) {
        static Bound random(Random random) {
            long[] numbers = {0, 0, 1, 2, 3, 5, 9, -1, -2, -3, -7, Long.MAX_VALUE, Long.MIN_VALUE + 1};
            if (random.nextInt(3) > 0) {
                return new Bound(numbers[random.nextInt(numbers.length)], 0, 0);
            }
            return new Bound(random.nextInt(5) - 2, random.nextInt(3) - 1, random.nextInt(3) - 1);
        }

        boolean isComputed() {
            return ofSize != 0 || ofLength != 0;
        }
    }

    /** A random slice. */
    private static final class Slice {
        private static final long[][] SIZES = {{4, 5, 6}, {1, 3, 2}, {7, 1, 4}, {2, 6, 1}};
        private static final long[] LENGTHS = {2, 1, 4, 3};

        private final DataType type;
        private final boolean[] open;
        private final int[] axes;
        private final Bound[] starts;
        private final Bound[] ends;
        private final long[] steps;

        Slice(Random random) {
            DataType[] types = {DataType.FLOAT, DataType.FLOAT, DataType.LONG, DataType.BOOL};
            type = types[random.nextInt(types.length)];
            int rank = 1 + random.nextInt(3);
            open = new boolean[rank];
            for (int i = 0; i < rank; i++) {
                open[i] = random.nextInt(3) > 0;
            }
            List<Integer> order = IntStream.range(0, rank).boxed().collect(Collectors.toCollection(ArrayList::new));
            java.util.Collections.shuffle(order, random);
            axes = order.subList(0, 1 + random.nextInt(rank)).stream()
                    .mapToInt(i -> i)
                    .toArray();
            starts = IntStream.range(0, axes.length)
                    .mapToObj(i -> Bound.random(random))
                    .toArray(Bound[]::new);
            ends = IntStream.range(0, axes.length)
                    .mapToObj(i -> Bound.random(random))
                    .toArray(Bound[]::new);
            long[] all =
                    Boolean.getBoolean("slices.ones") ? new long[] {1, 1, 1, -1} : new long[] {1, 1, 1, 2, 3, -1, -2};
            steps = IntStream.range(0, axes.length)
                    .mapToLong(i -> all[random.nextInt(all.length)])
                    .toArray();
        }

        /** A known axis has the same size in all samples. */
        private long size(int axis, int sample) {
            return SIZES[open[axis] ? sample : 0][axis];
        }

        Map<String, INDArray> inputs(int sample) {
            long[] shape = IntStream.range(0, open.length)
                    .mapToLong(axis -> size(axis, sample))
                    .toArray();
            long length = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
            INDArray x = Nd4j.arange(1, length + 1).reshape(shape);
            Map<String, INDArray> inputs = new LinkedHashMap<>();
            inputs.put("x", type == DataType.BOOL ? x.fmod(3).gt(0) : x.castTo(type));
            inputs.put("t", Nd4j.ones(DataType.FLOAT, LENGTHS[sample]));
            return inputs;
        }

        TinyModel model() {
            TinyModel model = new TinyModel(17);
            long[] dims = IntStream.range(0, open.length)
                    .mapToLong(axis -> open[axis] ? -(axis + 1) : SIZES[0][axis])
                    .toArray();
            model.input("x", type, dims).input("t", DataType.FLOAT, -9);
            model.node("Shape", "x", "sizes").node("Shape", "t", "length").node("Cast", "t", "unused", "to", 1);
            bounds(model, "starts", starts);
            bounds(model, "ends", ends);
            model.initializer(
                    "axes", HostTensor.vector(Arrays.stream(axes).asLongStream().toArray()));
            model.initializer("steps", HostTensor.vector(steps));
            model.node("Slice", "x starts ends axes steps", "y");
            return model.output("y");
        }

        private void bounds(TinyModel model, String name, Bound[] bounds) {
            if (Arrays.stream(bounds).noneMatch(Bound::isComputed)) {
                model.initializer(
                        name,
                        HostTensor.vector(
                                Arrays.stream(bounds).mapToLong(Bound::number).toArray()));
                return;
            }
            List<String> parts = new ArrayList<>();
            for (int i = 0; i < bounds.length; i++) {
                String part = name + i;
                model.initializer(part + "n", HostTensor.vector(bounds[i].number()));
                model.initializer(part + "a", HostTensor.vector(axes[i]));
                model.initializer(part + "s", HostTensor.vector(bounds[i].ofSize()));
                model.initializer(part + "l", HostTensor.vector(bounds[i].ofLength()));
                if (bounds[i].isComputed()) {
                    model.node("Gather", "sizes " + part + "a", part + "size")
                            .node("Mul", part + "size " + part + "s", part + "sized")
                            .node("Mul", "length " + part + "l", part + "lengths")
                            .node("Add", part + "sized " + part + "lengths", part + "sum")
                            .node("Add", part + "sum " + part + "n", part);
                } else {
                    model.node("Identity", part + "n", part);
                }
                parts.add(part);
            }
            model.node("Concat", String.join(" ", parts), name, "axis", 0);
        }

        @Override
        public String toString() {
            return type + " open " + Arrays.toString(open) + " axes " + Arrays.toString(axes) + " from "
                    + Arrays.toString(starts) + " to " + Arrays.toString(ends) + " steps " + Arrays.toString(steps);
        }
    }
}
