package dev.samediff.samples.bench.generation;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.compiled.DecodingSession;
import dev.samediff.adapters.text.generation.CachedLogits;
import dev.samediff.adapters.text.generation.Capacities;
import dev.samediff.adapters.text.generation.GraphLogits;
import dev.samediff.adapters.text.generation.LogitsFunction;
import dev.samediff.importer.ImportedModel;
import dev.samediff.samples.bench.Statistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Times the last tokens of texts of given lengths. */
public final class GenerationBench {
    private static final String IDS = "input_ids";
    private static final String LOGITS = "logits";
    /** Tokens that are timed with the cache; the first two of a plan warm it up. */
    private static final int TOKENS = 12;

    private static final int WARM_UP = 2;
    private static final int WHOLE_RUNS = 3;

    private final ImportedModel model;
    private final int vocabulary;
    private final int batch;
    private final EngineOptions options;

    /**
     * Prepares a measurement.
     *
     * @param model a decoder with the input {@code input_ids} and the output {@code logits}
     * @param vocabulary tokens it knows
     * @param batch texts at a time
     * @param options precision and threads
     */
    public GenerationBench(ImportedModel model, int vocabulary, int batch, EngineOptions options) {
        this.model = model;
        this.vocabulary = vocabulary;
        this.batch = batch;
        this.options = options;
    }

    /**
     * What was found.
     *
     * @param length tokens of each text, the new one included
     * @param wholeMilliseconds for one token of every text without a cache
     * @param cachedMilliseconds the same with a cache
     * @param prefillMilliseconds for the text before the first cached token, plans compiled
     */
    public record Row(int length, double wholeMilliseconds, double cachedMilliseconds, double prefillMilliseconds) {
        /** Returns how many times faster a token is with the cache. */
        public double speedUp() {
            return wholeMilliseconds / cachedMilliseconds;
        }
    }

    /**
     * Measures.
     *
     * @throws IllegalStateException if there can be no cache; the message says why
     */
    public Row measure(int length) {
        INDArray ids = ids(length);
        try (Engine engine = new CompiledEngine(model.graph(), "", List.of(), options)) {
            GraphLogits graph = new GraphLogits(model.graph(), List.of(IDS), LOGITS);
            LogitsFunction whole = (tokens, lengths) -> {
                INDArray logits = engine.outputs(graph.inputs(tokens, lengths), List.of(LOGITS))
                        .get(LOGITS);
                if (logits == null) {
                    throw new IllegalStateException("the engine did not return " + LOGITS);
                }
                return logits;
            };
            DecodingSession session = new DecodingSession(model.graph(), IDS, LOGITS, options);
            try (CachedLogits cached =
                    new CachedLogits(session, whole, graph::inputs, new Capacities(length, length))) {
                double[] times = cached(cached, ids, length);
                if (cached.fallback().isPresent()) {
                    throw new IllegalStateException(cached.fallback().get());
                }
                return new Row(length, whole(whole, ids, length), times[1], times[0]);
            }
        }
    }

    /** Returns the time of the prefill, and of a token. */
    private double[] cached(CachedLogits cached, INDArray ids, int length) {
        int first = length - TOKENS + 1;
        timed(cached, ids, first); // compiles, and compares with the whole model
        cached.restart();
        double prefill = timed(cached, ids, first);
        List<Double> times = new ArrayList<>();
        for (int tokens = first + 1; tokens <= length; tokens++) {
            times.add(timed(cached, ids, tokens));
        }
        return new double[] {prefill, Statistics.median(times.subList(WARM_UP, times.size()))};
    }

    private double whole(LogitsFunction whole, INDArray ids, int length) {
        List<Double> times = new ArrayList<>();
        timed(whole, ids, length);
        for (int run = 0; run < WHOLE_RUNS; run++) {
            times.add(timed(whole, ids, length));
        }
        return Statistics.median(times);
    }

    private double timed(LogitsFunction function, INDArray ids, int tokens) {
        int[] lengths = new int[batch];
        Arrays.fill(lengths, tokens);
        long start = System.nanoTime();
        function.logits(ids, lengths).close();
        return (System.nanoTime() - start) / 1e6;
    }

    private INDArray ids(int length) {
        Random random = new Random(length);
        long[][] ids = new long[batch][length];
        for (long[] row : ids) {
            Arrays.setAll(row, i -> random.nextInt(vocabulary));
        }
        return Nd4j.createFromArray(ids).castTo(DataType.LONG);
    }
}
