package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.random.RandomGraph;
import dev.samediff.importer.random.RandomGraphs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Random graphs compute in SameDiff what they compute in ONNX Runtime, at two sizes of their open axes, and their
 * gradients are those of finite differences.
 *
 * <p>Other graphs: {@code -Drandom.seed=N -Drandom.count=N -Drandom.gradients=N}; one graph: a count of 1 with
 * the seed a failure names.
 */
class RandomGraphTest {
    private static final long FIRST = Long.getLong("random.seed", 0);
    private static final int COUNT = Integer.getInteger("random.count", 500);
    private static final int GRADIENTS = Integer.getInteger("random.gradients", 60);
    private static final double TOLERANCE = 1e-4;
    private static final double GRADIENT_TOLERANCE = 1e-5;
    private static final int SHRUNK = 10;

    @TempDir
    Path folder;

    /** Graphs ONNX Runtime fails on: its own optimisations make a few of them invalid. */
    private int refused;

    @Test
    void random_graphs_compute_what_onnx_runtime_computes() {
        List<String> failures = new ArrayList<>();
        for (long seed = FIRST; seed < FIRST + COUNT; seed++) {
            RandomGraph graph = RandomGraphs.of(seed);
            if (failure(graph).isPresent()) {
                failures.add(failures.size() < SHRUNK ? report(seed, graph) : "seed " + seed);
            }
        }
        assertThat(failures).as(String.join("\n\n", failures)).isEmpty();
        assertThat(refused).as("graphs that ONNX Runtime cannot run").isLessThanOrEqualTo(1 + COUNT / 100);
    }

    @Test
    void gradients_of_random_graphs_are_those_of_finite_differences() {
        List<String> failures = new ArrayList<>();
        int checked = 0;
        for (long seed = FIRST; checked < GRADIENTS; seed++) {
            RandomGraph graph = smooth(RandomGraphs.of(seed));
            if (!graph.outputs().isEmpty()) {
                checked++;
                Optional<String> failure = gradientFailure(graph, seed);
                if (failure.isPresent()) {
                    failures.add(
                            failures.size() < SHRUNK ? gradientReport(graph, seed, failure.get()) : "seed " + seed);
                }
            }
        }
        assertThat(failures).as(String.join("\n\n", failures)).isEmpty();
    }

    private String report(long seed, RandomGraph graph) {
        RandomGraph least = RandomGraphs.shrink(graph, part -> failure(part).isPresent(), this::expected);
        return "seed " + seed + ": "
                + failure(least)
                        .orElse("passes when reduced, but the whole graph fails: "
                                + failure(graph).orElse("now it passes"))
                + "\n" + least;
    }

    private String gradientReport(RandomGraph graph, long seed, String failure) {
        RandomGraph least = RandomGraphs.shrink(
                graph,
                part -> part.outputs().stream().allMatch(output -> RandomGraphs.flows(part, output))
                        && gradientFailure(part, seed).isPresent(),
                this::expected);
        return "seed " + seed + ": " + gradientFailure(least, seed).orElse("passes again, first: " + failure) + "\n"
                + least;
    }

    private List<Map<String, INDArray>> expected(RandomGraph graph) {
        Path file = graph.model().write(folder);
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            return graph.feeds().stream().map(runtime::run).toList();
        } finally {
            remove(file);
        }
    }

    /** What is wrong with the import of a graph. */
    private Optional<String> failure(RandomGraph graph) {
        Path file = graph.model().write(folder);
        try {
            List<Map<String, INDArray>> expected;
            try {
                expected = expected(graph);
            } catch (RuntimeException e) {
                refused++;
                return Optional.empty();
            }
            ImportedModel imported = OnnxImporter.load(file);
            for (int sample = 0; sample < expected.size(); sample++) {
                Map<String, INDArray> actual =
                        OnnxVerifier.run(imported, graph.feeds().get(sample));
                for (Map.Entry<String, INDArray> output : expected.get(sample).entrySet()) {
                    Optional<String> difference =
                            difference(output.getKey(), output.getValue(), actual.get(output.getKey()));
                    if (difference.isPresent()) {
                        return difference;
                    }
                }
            }
            return Optional.empty();
        } catch (RuntimeException e) {
            return Optional.of(e.toString());
        } finally {
            remove(file);
        }
    }

    private static Optional<String> difference(String name, INDArray expected, INDArray actual) {
        if (!Arrays.equals(expected.shape(), actual.shape())) {
            return Optional.of(name + " has shape " + Arrays.toString(actual.shape()) + " instead of "
                    + Arrays.toString(expected.shape()));
        }
        Verification.Comparison comparison = Verification.Comparison.of("", name, expected, actual);
        double scale = expected.isEmpty()
                ? 1
                : Math.max(1, expected.castTo(DataType.DOUBLE).amaxNumber().doubleValue());
        return comparison.absolute() <= TOLERANCE * scale
                ? Optional.empty()
                : Optional.of(name + " differs by " + comparison.absolute() + "\nexpected " + expected + "\nactual "
                        + actual);
    }

    private static RandomGraph smooth(RandomGraph graph) {
        return RandomGraphs.withOutputs(
                graph,
                graph.outputs().stream()
                        .filter(output -> RandomGraphs.flows(graph, output))
                        .toList());
    }

    /** The derivative of a random weighted sum of all outputs along a random direction of all inputs and weights. */
    private Optional<String> gradientFailure(RandomGraph graph, long seed) {
        Path file = graph.model().write(folder);
        try {
            for (Map<String, INDArray> feed : graph.feeds()) {
                // SameDiff keeps arrays in operators that ran, so the graph that is differentiated is a fresh one
                Map<String, INDArray> outputs =
                        OnnxVerifier.run(OnnxImporter.load(file, ImportOptions.inDoublePrecision()), wide(feed));
                ImportedModel imported = OnnxImporter.load(file, ImportOptions.inDoublePrecision());
                Optional<String> failure = new Derivative(imported, wide(feed), outputs, seed).failure();
                if (failure.isPresent()) {
                    return failure;
                }
            }
            return Optional.empty();
        } catch (RuntimeException e) {
            return Optional.of(e.toString());
        } finally {
            remove(file);
        }
    }

    private static Map<String, INDArray> wide(Map<String, INDArray> feed) {
        Map<String, INDArray> wide = new HashMap<>();
        feed.forEach((name, numbers) ->
                wide.put(name, numbers.dataType() == DataType.FLOAT ? numbers.castTo(DataType.DOUBLE) : numbers));
        return wide;
    }

    /** A directional derivative of one graph at one size. */
    private static final class Derivative {
        private static final double STEP = 1e-6;
        private final SameDiff graph;
        private final Map<String, INDArray> feed = new HashMap<>();
        private final Map<String, INDArray> point = new LinkedHashMap<>();
        private final Random random;
        private final String loss;

        Derivative(ImportedModel imported, Map<String, INDArray> given, Map<String, INDArray> results, long seed) {
            this.graph = imported.graph();
            this.random = new Random(seed);
            for (TensorSpec input : imported.inputs()) {
                if (graph.hasVariable(input.variable())) {
                    feed.put(input.variable(), given.get(input.name()));
                }
            }
            SDVariable sum = null;
            for (TensorSpec output : imported.outputs()) {
                SDVariable weight =
                        graph.constant(noise(results.get(output.name()).shape()));
                SDVariable part =
                        graph.getVariable(output.variable()).mul(weight).sum();
                sum = sum == null ? part : sum.add(part);
            }
            this.loss = sum.name();
            graph.variables().stream()
                    .filter(variable -> variable.getVariableType() == org.nd4j.autodiff.samediff.VariableType.VARIABLE)
                    .forEach(variable ->
                            point.put(variable.name(), variable.getArr().dup()));
            feed.forEach((name, numbers) -> {
                if (numbers.dataType() == DataType.DOUBLE) {
                    point.put(trainable(name, numbers), numbers);
                }
            });
            graph.setLossVariables(loss);
        }

        private INDArray noise(long... shape) {
            int length = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
            return Nd4j.createFromArray(random.doubles(length, -1, 1).toArray()).reshape(shape);
        }

        /** SameDiff differentiates with respect to VARIABLEs only: one takes the place of the input. */
        private String trainable(String input, INDArray numbers) {
            SDVariable variable = graph.var(input + "/variable", numbers.dup());
            for (SameDiffOp op : List.copyOf(graph.getOps().values())) {
                for (int i = 0; i < op.getInputsToOp().size(); i++) {
                    if (op.getInputsToOp().get(i).equals(input)) {
                        graph.replaceArgFor(i, variable, op.getOp());
                    }
                }
            }
            return variable.name();
        }

        Optional<String> failure() {
            Map<String, INDArray> gradients = new HashMap<>();
            graph.calculateGradients(feed, point.keySet())
                    .forEach((name, gradient) -> gradients.put(name, gradient.dup()));
            for (Map.Entry<String, INDArray> at : point.entrySet()) {
                INDArray direction = noise(at.getValue().shape());
                INDArray gradient = gradients.get(at.getKey());
                double expected = difference(at.getKey(), at.getValue(), direction);
                double actual = gradient == null
                        ? 0
                        : gradient.mul(direction).sumNumber().doubleValue();
                double scale = Math.max(
                        1,
                        Math.max(
                                Math.abs(expected),
                                gradient == null ? 0 : gradient.norm2Number().doubleValue()));
                if (!(Math.abs(expected - actual) <= GRADIENT_TOLERANCE * scale)) {
                    return Optional.of("the derivative with respect to " + at.getKey() + " is " + actual
                            + ", finite differences give " + expected);
                }
                if (gradient != null
                        && !Arrays.equals(gradient.shape(), at.getValue().shape())) {
                    return Optional.of("the gradient of " + at.getKey() + " has shape "
                            + Arrays.toString(gradient.shape()) + " instead of "
                            + Arrays.toString(at.getValue().shape()));
                }
            }
            return Optional.empty();
        }

        private double difference(String name, INDArray at, INDArray direction) {
            double ahead = at(name, at.add(direction.mul(STEP)));
            double behind = at(name, at.sub(direction.mul(STEP)));
            at(name, at);
            return (ahead - behind) / (2 * STEP);
        }

        private double at(String name, INDArray numbers) {
            graph.getVariable(name).setArray(numbers.dup());
            return graph.outputSingle(feed, loss).getDouble(0);
        }
    }

    private static void remove(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
