package dev.samediff.adapters.engine.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.compiled.Targets;
import dev.samediff.adapters.engine.oracle.LoopTarget;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Outputs and all gradients of random graphs, by the compiled engine in several ways of working, on the host and in loops, and by
 * SameDiff's operations.
 * {@code -Drandom.graphs=FROM..TO} tests other seeds; a failure is made smaller and printed as code.
 */
class RandomGraphTest {
    private static final int GROUPS = 20;

    /** Tokens from which texts are long. */
    private static final int LONG = 256;

    /** The first so many graphs, and of the next each that has something new. */
    private static final int FIRST = 180;

    private static final int LAST = 520;

    private static final long[] SEEDS = seeds();

    private static long[] seeds() {
        String range = System.getProperty("random.graphs");
        if (range == null) {
            Set<Object> seen = new HashSet<>();
            return LongStream.range(0, LAST)
                    .filter(seed -> seen.addAll(traits(RandomGraph.of(seed))) || seed < FIRST)
                    .toArray();
        }
        String[] ends = range.split("\\.\\.");
        return LongStream.range(Long.parseLong(ends[0]), Long.parseLong(ends[1]))
                .toArray();
    }

    /** Constructs, the loss, and constructs in long texts. */
    private static Set<Object> traits(RandomGraph graph) {
        Set<Object> traits = new HashSet<>(Set.of(graph.loss()));
        graph.steps().forEach(step -> {
            traits.add(step.kind());
            traits.add((graph.length() >= LONG ? "long " : "short ") + step.kind());
        });
        return traits;
    }

    static List<List<Long>> groups() {
        long[] seeds = SEEDS;
        return IntStream.range(0, GROUPS)
                .mapToObj(group -> IntStream.range(0, seeds.length)
                        .filter(i -> i % GROUPS == group)
                        .mapToObj(i -> seeds[i])
                        .toList())
                .toList();
    }

    @ParameterizedTest(name = "group {index}")
    @MethodSource("groups")
    void compiled_and_reference_engine_agree(List<Long> seeds) {
        for (long seed : seeds) {
            assertSame(seed, ways(seed));
        }
    }

    static LongStream looped() {
        return LoopTarget.runsAll() ? Arrays.stream(SEEDS) : LongStream.range(0, 16);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("looped")
    void plans_in_loops_and_the_reference_engine_agree(long seed) {
        boolean recomputes = seed % 4 < 2;
        EngineOptions options = EngineOptions.defaults().withRecomputation(recomputes);
        assertSame(
                seed,
                List.of(new Way(options, o -> seed % 2 == 0 ? LoopTarget.ofStrides() : LoopTarget.ofRows(), 1e-4)));
    }

    private static void assertSame(long seed, List<Way> ways) {
        RandomGraph graph = RandomGraph.of(seed);
        Optional<String> difference = difference(graph, ways);
        if (difference.isPresent()) {
            RandomGraph small = shrunk(graph, ways);
            fail(
                    "seed %s: %s%nthe smallest graph that differs: %s%n%s",
                    seed, difference.get(), difference(small, ways).orElse("?"), small.code());
        }
    }

    @Test
    void all_constructs_and_losses_occur() {
        assumeThat(System.getProperty("random.graphs")).isNull();
        Set<Object> traits = new HashSet<>();
        Arrays.stream(SEEDS).forEach(seed -> traits.addAll(traits(RandomGraph.of(seed))));
        assertThat(traits).containsAll(EnumSet.allOf(Kind.class)).containsAll(EnumSet.allOf(RandomGraph.Loss.class));
        for (Kind kind : List.of(Kind.HEADS, Kind.POSITION_BIAS, Kind.POSITION_PRODUCT, Kind.FED_MASK)) {
            assertThat(traits).contains("long " + kind);
        }
    }

    private static RandomGraph shrunk(RandomGraph graph, List<Way> ways) {
        RandomGraph current = graph;
        for (int i = current.steps().size() - 1; i >= 0; i--) {
            RandomGraph fewer = current.without(i);
            if (difference(fewer, ways).isPresent()) {
                current = fewer;
            }
        }
        return current;
    }

    /**
     * How graphs are computed, and to what part of the largest number of a result it must be right: as exact as float32
     * arithmetic in two orders, or in one.
     */
    private record Way(EngineOptions options, Function<EngineOptions, Target> target, double tolerance) {
        CompiledEngine open(RandomGraph.Graph graph) {
            return new CompiledEngine(graph.sd(), graph.loss(), graph.trained(), options, target.apply(options));
        }
    }

    private static List<Way> ways(long seed) {
        EngineOptions plain = EngineOptions.defaults();
        List<EngineOptions> others = List.of(
                plain.withThreads(2).withPackedWeights(false),
                plain.withThreads(1).withRecomputation(true),
                plain.withThreads(2).withRecomputation(true).withPackedWeights(false),
                plain.withThreads(2));
        return Stream.of(plain.withThreads(1), others.get((int) (seed % others.size())))
                .map(options -> new Way(options, Targets::open, 1e-3))
                .toList();
    }

    private static Optional<String> difference(RandomGraph random, List<Way> ways) {
        RandomGraph.Graph graph;
        try {
            graph = random.build();
        } catch (RuntimeException e) {
            return Optional.of("cannot be built: " + e);
        }
        try (ReferenceEngine reference = new ReferenceEngine(graph.sd(), graph.loss(), graph.trained())) {
            Engine.Gradients expected = reference.gradients(graph.inputs());
            Map<String, INDArray> outputs = reference.outputs(graph.inputs(), graph.outputs());
            for (Way way : ways) {
                try (CompiledEngine engine = way.open(graph)) {
                    for (int call = 0; call < 2; call++) {
                        Engine.Gradients actual = engine.gradients(graph.inputs());
                        if (engine.fallback().isPresent()) {
                            return Optional.of(
                                    "not compiled: " + engine.fallback().get());
                        }
                        Optional<String> wrong = difference(actual, expected, way.tolerance());
                        if (wrong.isPresent()) {
                            return Optional.of(wrong.get() + " with " + way);
                        }
                    }
                    if (ways.indexOf(way) != random.steps().size() % ways.size()) {
                        continue; // outputs in one of the ways: they take a plan of their own
                    }
                    Map<String, INDArray> found = engine.outputs(graph.inputs(), graph.outputs());
                    for (String name : graph.outputs()) {
                        Optional<String> wrong =
                                difference(name, found.get(name), outputs.get(name), way.tolerance(), 0);
                        if (wrong.isPresent()) {
                            return Optional.of(wrong.get() + " with " + way);
                        }
                    }
                }
            }
        } catch (RuntimeException e) {
            return Optional.of("thrown: " + e);
        }
        return Optional.empty();
    }

    private static Optional<String> difference(Engine.Gradients actual, Engine.Gradients expected, double tolerance) {
        if (!(Math.abs(actual.loss() - expected.loss()) <= 1e-4 * Math.abs(expected.loss()) + 1e-6)) {
            return Optional.of("loss " + actual.loss() + " instead of " + expected.loss());
        }
        double largest = expected.byName().values().stream()
                .mapToDouble(gradient -> largest(numbers(gradient)))
                .max()
                .orElse(0);
        for (Map.Entry<String, INDArray> gradient : expected.byName().entrySet()) {
            String name = gradient.getKey();
            Optional<String> wrong = difference(
                    "gradient by " + name, actual.byName().get(name), gradient.getValue(), tolerance, 2e-5 * largest);
            if (wrong.isPresent()) {
                return wrong;
            }
        }
        return Optional.empty();
    }

    /** Absolute and relative error of float32 arithmetic in two orders. */
    private static Optional<String> difference(
            String name, INDArray actual, INDArray expected, double relative, double absolute) {
        double[] a = numbers(actual);
        double[] e = numbers(expected);
        double tolerance = relative * largest(e) + absolute + 1e-6;
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < e.length && wrong.isEmpty(); i++) {
            if (!(Math.abs(a[i] - e[i]) <= tolerance)) {
                wrong.add(name + "[" + i + "] is " + a[i] + " instead of " + e[i]);
            }
        }
        return wrong.stream().findFirst();
    }

    private static double largest(double... numbers) {
        return Arrays.stream(numbers).map(Math::abs).max().orElse(0);
    }

    private static double[] numbers(INDArray array) {
        return array.castTo(DataType.DOUBLE).dup('c').data().asDouble();
    }
}
