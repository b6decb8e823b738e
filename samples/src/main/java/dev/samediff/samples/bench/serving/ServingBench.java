package dev.samediff.samples.bench.serving;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.importer.ImportedModel;
import dev.samediff.samples.model.InputBinding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Times answers of one model to texts of random tokens. */
public final class ServingBench {
    private static final int VOCABULARY = 1000;
    private static final int WARM_UP = 50;

    private final ImportedModel model;
    private final String output;
    private final int requests;
    private final List<Map<String, INDArray>> texts = new ArrayList<>();

    /**
     * Prepares a measurement.
     *
     * @param model the model; its first 1,000 tokens are used
     * @param output name of the output that is asked for
     * @param tokens tokens of a text
     * @param requests how many answers are timed in each way
     */
    public ServingBench(ImportedModel model, String output, int tokens, int requests) {
        this.model = model;
        this.output = output;
        this.requests = requests;
        InputBinding inputs = InputBinding.of(model.graph());
        Random random = new Random(1);
        for (int i = 0; i < 16; i++) {
            long[] ids = random.longs(tokens, 0, VOCABULARY).toArray();
            texts.add(inputs.fill(Nd4j.createFromArray(ids).reshape(1, tokens), new int[] {tokens}));
        }
    }

    /**
     * What was found of one way to answer.
     *
     * @param way what answers
     * @param clients threads that ask
     * @param milliseconds median time of an answer, as its client sees it
     * @param perSecond answers in a second, of all clients together
     * @param adapterMegabytes tensors of all adapters
     */
    public record Row(String way, int clients, double milliseconds, double perSecond, double adapterMegabytes) {}

    /** One answer; gets the number of the request. */
    private interface Way {
        void answer(int request);
    }

    /** Measures all ways. */
    public List<Row> measure(int clients, int adapters) {
        List<Row> rows = new ArrayList<>();
        rows.add(time("SameDiff.output", 1, 0, i -> model.graph().outputSingle(text(i), output)));
        try (ModelPool pool = pool()) {
            Way base = i -> pool.outputs(text(i), List.of(output));
            rows.add(time("pool", 1, 0, base));
            rows.add(time("pool", clients, 0, base));
            AdapterState state = adapter();
            for (int i = 0; i < adapters; i++) {
                pool.put("adapter " + i, state.withName("a" + i));
            }
            double megabytes = pool.memory().adapterBytes() / 1e6;
            Way each = i -> pool.outputs(Optional.of("adapter " + i % adapters), text(i), List.of(output));
            rows.add(time("pool, " + adapters + " adapters in turn", clients, megabytes, each));
            AtomicInteger swaps = new AtomicInteger();
            Way swapping = i -> {
                if (i % 100 == 0) {
                    pool.put("adapter " + swaps.getAndIncrement() % adapters, state.withName("b"));
                }
                each.answer(i);
            };
            rows.add(time("the same, one replaced every 100 answers", clients, megabytes, swapping));
        }
        return rows;
    }

    private Map<String, INDArray> text(int request) {
        return texts.get(request % texts.size());
    }

    private ModelPool pool() {
        return ModelPool.open(model.graph(), model.modulePaths(), PoolOptions.defaults());
    }

    private AdapterState adapter() {
        return AdaptedModel.inject(SharingCopy.of(model.graph()), model.modulePaths(), AdapterConfig.of(Lora.rank(8)))
                .state();
    }

    private Row time(String way, int clients, double megabytes, Way answers) {
        run(clients, WARM_UP * clients, answers);
        long start = System.nanoTime();
        double[] times = run(clients, requests, answers);
        double seconds = (System.nanoTime() - start) / 1e9;
        return new Row(way, clients, times[times.length / 2], requests / seconds, megabytes);
    }

    /** Returns the time of each answer in milliseconds, sorted. */
    private static double[] run(int clients, int requests, Way answers) {
        double[] times = new double[requests];
        AtomicInteger next = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int client = 0; client < clients; client++) {
                running.add(threads.submit(() -> {
                    for (int i = next.getAndIncrement(); i < requests; i = next.getAndIncrement()) {
                        long start = System.nanoTime();
                        answers.answer(i);
                        times[i] = (System.nanoTime() - start) / 1e6;
                    }
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("a request failed: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the measurement was interrupted", e);
        } finally {
            threads.shutdownNow();
        }
        Arrays.sort(times);
        return times;
    }
}
