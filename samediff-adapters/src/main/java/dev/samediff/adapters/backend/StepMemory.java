package dev.samediff.adapters.backend;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.ReferenceEngine;
import dev.samediff.adapters.graph.ExecutionOrder;
import dev.samediff.adapters.graph.GradientGraph;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Memory of the intermediate results of one forward and backward pass, by batch size, so that a training that does not
 * fit into a device ends with a sentence before it starts and not with an abort of native code.
 *
 * <p>The pass is run for one and for two examples. The bytes of every result grow linearly with the batch, so they are
 * known for every size; each is needed from the operation that makes it to the last that reads it. Memory of a result is
 * reused for results of the same size only, as {@link ReferenceEngine} does. Results that share memory are counted twice,
 * so the estimate is an upper one; weights are not part of it.
 */
public final class StepMemory {
    private static final double GIGABYTE = 1e9;

    private final List<ExecutionOrder.Node> order;
    private final Set<String> kept;
    private final Map<String, Long> one;
    private final Map<String, Long> two;

    private StepMemory(
            List<ExecutionOrder.Node> order, Set<String> kept, Map<String, Long> one, Map<String, Long> two) {
        this.order = order;
        this.kept = kept;
        this.one = one;
        this.two = two;
    }

    /**
     * Measures.
     *
     * @param graph the graph to train
     * @param loss its loss
     * @param trainables the VARIABLEs to differentiate by
     * @param example placeholders of a batch of one, as long as the longest of the training
     * @param pair placeholders of a batch of two of the same length
     */
    public static StepMemory measure(
            SameDiff graph,
            String loss,
            List<String> trainables,
            Map<String, INDArray> example,
            Map<String, INDArray> pair) {
        GradientGraph gradient = GradientGraph.of(graph, loss, trainables);
        Set<String> kept = new LinkedHashSet<>(gradient.gradients().values());
        kept.add(loss);
        List<ExecutionOrder.Node> order = ExecutionOrder.of(gradient.graph(), kept);
        Set<String> results = new LinkedHashSet<>();
        order.forEach(node -> results.addAll(node.outputs()));
        try (ReferenceEngine engine = new ReferenceEngine(gradient.graph(), loss, List.of())) {
            return new StepMemory(
                    order, kept, bytes(engine.outputs(example, results)), bytes(engine.outputs(pair, results)));
        }
    }

    private static Map<String, Long> bytes(Map<String, INDArray> results) {
        Map<String, Long> bytes = new LinkedHashMap<>();
        results.forEach((name, array) -> {
            bytes.put(name, array.length() * array.dataType().width());
            if (array.closeable()) {
                array.close();
            }
        });
        return bytes;
    }

    /** Returns the bytes of a pass over a batch of the given size. */
    public long bytes(int batch) {
        Map<String, Integer> readers = new HashMap<>();
        order.forEach(node -> node.inputs().forEach(name -> readers.merge(name, 1, Integer::sum)));
        kept.forEach(name -> readers.merge(name, 1, Integer::sum));
        Map<Long, Integer> free = new HashMap<>();
        long taken = 0;
        for (ExecutionOrder.Node node : order) {
            for (String output : node.outputs()) {
                long size = size(output, batch);
                if (free.merge(size, -1, Integer::sum) < 0) {
                    taken += size;
                    free.put(size, 0);
                }
            }
            for (String done : finished(node, readers)) {
                free.merge(size(done, batch), 1, Integer::sum);
            }
        }
        return taken;
    }

    /** Results nobody reads after an operation. */
    private Collection<String> finished(ExecutionOrder.Node node, Map<String, Integer> readers) {
        Collection<String> finished = new ArrayList<>();
        for (String input : node.inputs()) {
            if (readers.merge(input, -1, Integer::sum) == 0 && one.containsKey(input)) {
                finished.add(input);
            }
        }
        node.outputs().stream().filter(name -> !readers.containsKey(name)).forEach(finished::add);
        return finished;
    }

    private long size(String name, int batch) {
        long first = one.getOrDefault(name, 0L);
        return first + (two.getOrDefault(name, 0L) - first) * (batch - 1);
    }

    /**
     * Refuses a batch that does not fit.
     *
     * @param batch examples per batch
     * @param freeBytes free memory of the device
     * @throws InvalidInputException if it does not; the message names the largest batch that does
     */
    public void requireFits(int batch, long freeBytes) {
        long needed = bytes(batch);
        if (needed <= freeBytes) {
            return;
        }
        int largest = batch - 1;
        while (largest > 0 && bytes(largest) > freeBytes) {
            largest--;
        }
        throw new InvalidInputException(String.format(
                java.util.Locale.ROOT,
                "a step with batches of %d takes up to %.2f GB of the device's memory and %.2f GB are free; %s",
                batch,
                needed / GIGABYTE,
                freeBytes / GIGABYTE,
                largest > 0
                        ? "batches of " + largest + " fit (accumulation makes up for the rest), as do shorter texts"
                        : "not even one text of this length fits: shorten the texts, or compute on the CPU"));
    }
}
