package dev.samediff.adapters.backend;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.reference.HalfProducts;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
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
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
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
    /** What AdamW on a device holds per trained number: gradient, slope, work, two moments, and the slope in float64. */
    public static final int OPTIMIZER_BYTES = 5 * 4 + 8;

    private static final double GIGABYTE = 1e9;

    private final List<ExecutionOrder.Node> order;
    private final Set<String> kept;
    private final Map<String, Long> one;
    private final Map<String, Long> two;
    private final Map<ExecutionOrder.Node, Long> halves;
    private final long trained;

    private StepMemory(
            List<ExecutionOrder.Node> order,
            Set<String> kept,
            Map<String, Long> one,
            Map<String, Long> two,
            Map<ExecutionOrder.Node, Long> halves,
            long trained) {
        this.order = order;
        this.kept = kept;
        this.one = one;
        this.two = two;
        this.halves = halves;
        this.trained = trained;
    }

    /**
     * Measures a pass in the graph's own precision; see
     * {@link #measure(SameDiff, String, List, Map, Map, Precision)}.
     */
    public static StepMemory measure(
            SameDiff graph,
            String loss,
            List<String> trainables,
            Map<String, INDArray> example,
            Map<String, INDArray> pair) {
        return measure(graph, loss, trainables, example, pair, Precision.FLOAT32);
    }

    /**
     * Measures.
     *
     * @param graph the graph to train
     * @param loss its loss
     * @param trainables the VARIABLEs to differentiate by
     * @param example placeholders of a batch of one, as long as the longest of the training
     * @param pair placeholders of a batch of two of the same length
     * @param precision of the training; with {@link Precision#HALF} rounded operands are counted too
     */
    public static StepMemory measure(
            SameDiff graph,
            String loss,
            List<String> trainables,
            Map<String, INDArray> example,
            Map<String, INDArray> pair,
            Precision precision) {
        GradientGraph gradient = GradientGraph.of(graph, loss, trainables);
        Set<String> kept = new LinkedHashSet<>(gradient.gradients().values());
        kept.add(loss);
        List<ExecutionOrder.Node> order = ExecutionOrder.of(gradient.graph(), kept);
        Set<String> results = new LinkedHashSet<>();
        order.forEach(node -> results.addAll(node.outputs()));
        try (ReferenceEngine engine = new ReferenceEngine(gradient.graph(), loss, List.of())) {
            return new StepMemory(
                    order,
                    kept,
                    bytes(engine.outputs(example, results)),
                    bytes(engine.outputs(pair, results)),
                    precision == Precision.HALF ? halves(gradient.graph(), graph, order) : Map.of(),
                    trainables.stream()
                            .mapToLong(name -> graph.getArrForVarName(name).length())
                            .sum());
        }
    }

    /** Returns the bytes of the rounded weight of each product in half precision. */
    private static Map<ExecutionOrder.Node, Long> halves(
            SameDiff graph, SameDiff source, List<ExecutionOrder.Node> order) {
        Map<ExecutionOrder.Node, Long> halves = new HashMap<>();
        for (ExecutionOrder.Node node : order) {
            if (HalfProducts.isOne(graph, source, node)) {
                node.inputs().stream()
                        .map(graph::getVariable)
                        .filter(SDVariable::isConstant)
                        .forEach(weight -> halves.put(node, weight.getArr().length() * DataType.HALF.width()));
            }
        }
        return halves;
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
        Map<Long, Integer> freeHalves = new HashMap<>();
        long taken = 0;
        for (ExecutionOrder.Node node : order) {
            for (String output : node.outputs()) {
                taken += take(size(output, batch), free);
            }
            List<Long> operands = operands(node, batch);
            for (long size : operands) {
                taken += take(size, freeHalves);
            }
            operands.forEach(size -> freeHalves.merge(size, 1, Integer::sum));
            for (String done : finished(node, readers)) {
                free.merge(size(done, batch), 1, Integer::sum);
            }
        }
        return taken;
    }

    /** Takes a block of a pool; returns the bytes that it had to grow by. */
    private static long take(long size, Map<Long, Integer> free) {
        if (free.merge(size, -1, Integer::sum) >= 0) {
            return 0;
        }
        free.put(size, 0);
        return size;
    }

    /** Returns the bytes of the rounded weight, input and result of a product in half precision. */
    private List<Long> operands(ExecutionOrder.Node node, int batch) {
        Long weight = halves.get(node);
        if (weight == null) {
            return List.of();
        }
        int ratio = DataType.FLOAT.width() / DataType.HALF.width();
        List<Long> operands =
                new ArrayList<>(List.of(weight, size(node.outputs().get(0), batch) / ratio));
        node.inputs().stream().filter(one::containsKey).forEach(input -> operands.add(size(input, batch) / ratio));
        return operands;
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
     * Refuses a batch that does not fit beside AdamW's state.
     *
     * @param batch examples per batch
     * @param freeBytes free memory of the device
     * @throws InvalidInputException if it does not; the message names the largest batch that does
     */
    public void requireFits(int batch, long freeBytes) {
        long state = OPTIMIZER_BYTES * trained;
        long needed = bytes(batch) + state;
        if (needed <= freeBytes) {
            return;
        }
        int largest = batch - 1;
        while (largest > 0 && bytes(largest) + state > freeBytes) {
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
