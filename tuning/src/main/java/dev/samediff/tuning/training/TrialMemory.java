package dev.samediff.tuning.training;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.backend.StepMemory;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * What one trial needs beside the shared base model, estimated before a sweep: the memory of a step with the
 * largest batch (intermediate results and working memory of kernels on all threads), a copy of each adapted weight, and the adapters four times (numbers, gradients, two moments of AdamW). The
 * compiled engine keeps the memory of its plans for several shapes, so each length of a batch counts, and for large batches
 * packed copies of the frozen weights. What the JVM and native libraries take is not part of it.
 *
 * @param bytes bytes of one trial
 */
public record TrialMemory(long bytes) {
    private static final double GIGABYTE = 1e9;
    private static final int ADAPTER_COPIES = 4;

    /** Compiles a step over the widest examples, or runs it where nothing is compiled, and adds up. */
    static TrialMemory measure(
            AdaptedModel model,
            TaskLoss loss,
            String[] inputs,
            TrialData data,
            int batch,
            long seed,
            EngineOptions options) {
        MultiDataSet widest = widest(data.train(2, seed));
        Map<String, INDArray> pair = new LinkedHashMap<>();
        for (int i = 0; i < inputs.length; i++) {
            pair.put(inputs[i], widest.getFeatures(i));
        }
        pair.put(loss.labels(), widest.getLabels(0));
        pair.put(loss.mask(), widest.getLabelsMaskArray(0));
        Map<String, INDArray> one = new LinkedHashMap<>();
        pair.forEach((name, array) -> one.put(name, first(array)));
        OptionalLong compiled = compiled(model, loss, one, batch, plans(data.train(batch, seed)), options);
        long step = compiled.isPresent()
                ? compiled.getAsLong()
                : StepMemory.measure(model.graph(), loss.loss(), model.trainableNames(), one, pair)
                        .bytes(batch);
        long weights = model.sites().stream()
                .mapToLong(site ->
                        (long) Float.BYTES * site.layer().in() * site.layer().out())
                .sum();
        return new TrialMemory(step + weights + ADAPTER_COPIES * Float.BYTES * model.trainableParameters());
    }

    /**
     * Returns the memory of compiled plans, and of the engine's own copies of frozen weights; empty if nothing is compiled.
     *
     * @param one the widest example
     * @param plans how many plans as large as the one for a batch of it
     */
    private static OptionalLong compiled(
            AdaptedModel model,
            TaskLoss loss,
            Map<String, INDArray> one,
            int batch,
            double plans,
            EngineOptions options) {
        if (options.kind() != EngineOptions.Kind.COMPILED) {
            return OptionalLong.empty();
        }
        Map<String, INDArray> many = new LinkedHashMap<>();
        one.forEach((name, array) -> many.put(name, rows(array, batch)));
        try (CompiledEngine engine = new CompiledEngine(model.graph(), loss.loss(), model.trainableNames(), options)) {
            OptionalLong plan = engine.stepBytes(many);
            return plan.isPresent() ? OptionalLong.of((long) (plan.getAsLong() * plans) + engine.weightBytes()) : plan;
        }
    }

    /** Returns the memory of the plans for all lengths of batches together, as a multiple of the longest one's. */
    private static double plans(MultiDataSetIterator batches) {
        NavigableSet<Long> lengths = new TreeSet<>();
        while (batches.hasNext()) {
            lengths.add(batches.next().getFeatures(0).length());
        }
        return lengths.descendingSet().stream()
                .limit(CompiledEngine.MOST_PLANS)
                .mapToDouble(length -> (double) length / lengths.last())
                .sum();
    }

    private static MultiDataSet widest(MultiDataSetIterator pairs) {
        MultiDataSet widest = pairs.next();
        while (pairs.hasNext()) {
            MultiDataSet next = pairs.next();
            if (next.getFeatures(0).size(0) == 2
                    && next.getFeatures(0).length() > widest.getFeatures(0).length()) {
                widest = next;
            }
        }
        return widest;
    }

    private static INDArray rows(INDArray example, int count) {
        return Nd4j.concat(0, Collections.nCopies(count, example).toArray(INDArray[]::new));
    }

    private static INDArray first(INDArray array) {
        INDArrayIndex[] indices = NDArrayIndex.allFor(array);
        indices[0] = NDArrayIndex.interval(0, 1);
        return array.get(indices).dup('c');
    }

    /**
     * Refuses more trials at a time than there is memory for.
     *
     * @param parallel trials at the same time
     * @param available free bytes
     * @throws InvalidInputException if they do not fit, with how many do
     */
    public void requireFits(int parallel, long available) {
        if (parallel * bytes <= available) {
            return;
        }
        throw new InvalidInputException(String.format(
                Locale.ROOT,
                "%d trials at the same time take about %.2f GB each and %.2f GB are free; %s",
                parallel,
                bytes / GIGABYTE,
                available / GIGABYTE,
                available >= bytes
                        ? "give --parallel " + available / bytes + " or smaller batches"
                        : "give smaller batches or shorter texts"));
    }
}
