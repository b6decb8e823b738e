package dev.samediff.adapters.engine.reference;

import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.engine.nd4j.Overwriting;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.graph.Dropout;
import dev.samediff.adapters.graph.EmbeddingNoise;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Executes SameDiff's own ops in an order fixed once, with reused op contexts and reused memory; every array's memory is
 * free again after its last use. Shapes are computed anew in every run, so any of them may change between runs.
 */
final class PlannedRunner implements Runner {
    private final SameDiff graph;
    private final SameDiff source;
    private final List<String> outputs;
    private final int[] outputSlots;
    private final List<Step> steps = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final Map<String, Integer> slots = new HashMap<>();
    private final List<Integer> leaves = new ArrayList<>();
    private final @Nullable HeldArray[] values;
    private final ArrayPool pool;
    private final Map<Step, HalfProducts> halves = new HashMap<>();
    private final List<LossInputs> fed;
    /** Placeholders without elements in this run. */
    private List<String> withoutElements = List.of();

    /**
     * Plans the computation.
     *
     * @param graph the graph to execute
     * @param source the graph whose current arrays are read; what it does not have is read from {@code graph}
     * @param outputs variables to compute
     * @param fed what is compared with the scores of the losses as soon as these are there
     * @param half whether {@link HalfProducts} are
     * @param poison see {@link ArrayPool}
     */
    PlannedRunner(
            SameDiff graph,
            SameDiff source,
            Collection<String> outputs,
            List<LossInputs> fed,
            boolean half,
            boolean poison) {
        this.graph = graph;
        this.fed = fed;
        this.source = source;
        this.outputs = List.copyOf(outputs);
        this.pool = new ArrayPool(poison);
        List<ExecutionOrder.Node> order = withForwardTanh(ExecutionOrder.of(graph, this.outputs));
        Map<String, Integer> uses = new HashMap<>();
        order.forEach(op -> op.inputs().forEach(name -> uses.merge(name, 1, Integer::sum)));
        this.outputs.forEach(name -> uses.merge(name, 1, Integer::sum));
        for (ExecutionOrder.Node op : order) {
            List<String> results = op.outputs();
            boolean[] needed = new boolean[results.size()];
            for (int i = 0; i < needed.length; i++) {
                needed[i] = uses.containsKey(results.get(i));
            }
            Step step = new Step(graph, op, slotsOf(op.inputs()), slotsOf(results), needed);
            steps.add(step);
            if (half && HalfProducts.isOne(graph, source, op)) {
                halves.put(step, new HalfProducts(op));
            }
        }
        outputSlots = slotsOf(this.outputs);
        for (int slot = 0; slot < names.size(); slot++) {
            if (graph.getVariable(names.get(slot)).getVariableType() != VariableType.ARRAY) {
                leaves.add(slot);
            }
        }
        markLastUses();
        values = new HeldArray[names.size()];
    }

    /** Gives each gradient of a tanh that tanh's result as a third input, see {@link Shortcuts}. */
    private static List<ExecutionOrder.Node> withForwardTanh(List<ExecutionOrder.Node> order) {
        Map<String, String> results = new HashMap<>();
        List<ExecutionOrder.Node> nodes = new ArrayList<>();
        for (ExecutionOrder.Node node : order) {
            String type = node.function().opName();
            if (type.equals("tanh")) {
                results.put(node.inputs().get(0), node.outputs().get(0));
            }
            String result =
                    results.get(node.inputs().isEmpty() ? "" : node.inputs().get(0));
            if (type.equals("tanh_bp") && result != null) {
                List<String> inputs = new ArrayList<>(node.inputs());
                inputs.add(result);
                nodes.add(new ExecutionOrder.Node(node.name(), node.function(), inputs, node.outputs()));
            } else {
                nodes.add(node);
            }
        }
        return nodes;
    }

    private int[] slotsOf(List<String> variables) {
        return variables.stream()
                .mapToInt(name -> slots.computeIfAbsent(name, key -> {
                    names.add(key);
                    return names.size() - 1;
                }))
                .toArray();
    }

    private void markLastUses() {
        boolean[] seen = new boolean[names.size()];
        for (int slot : outputSlots) {
            seen[slot] = true;
        }
        for (int i = steps.size() - 1; i >= 0; i--) {
            Step step = steps.get(i);
            Deque<Integer> last = new ArrayDeque<>();
            for (int[] group : new int[][] {step.inputs, step.outputs}) {
                for (int slot : group) {
                    if (!seen[slot]) {
                        seen[slot] = true;
                        last.add(slot);
                    }
                }
            }
            step.lastUses = last.stream().mapToInt(Integer::intValue).toArray();
        }
    }

    @Override
    public Map<String, INDArray> run(Map<String, INDArray> placeholders) {
        withoutElements = Placeholders.withoutElements(graph, outputs, placeholders);
        try {
            for (int slot : leaves) {
                values[slot] = new HeldArray(leaf(names.get(slot), placeholders), null);
            }
            for (Step step : steps) {
                execute(step, placeholders);
                checkFed(step, placeholders);
                for (int slot : step.lastUses) {
                    release(slot);
                }
            }
            Map<String, INDArray> results = new LinkedHashMap<>();
            for (int i = 0; i < outputSlots.length; i++) {
                HeldArray value = value(outputSlots[i]);
                if (value.array().isEmpty() && !withoutElements.isEmpty()) {
                    throw Placeholders.noElements(withoutElements.get(0), placeholders);
                }
                results.put(outputs.get(i), handOut(value));
            }
            return results;
        } finally {
            for (int slot = 0; slot < values.length; slot++) {
                release(slot);
            }
            pool.endRun();
        }
    }

    private INDArray leaf(String name, Map<String, INDArray> placeholders) {
        SDVariable variable = graph.getVariable(name);
        if (variable.isPlaceHolder()) {
            return Placeholders.get(variable, placeholders);
        }
        INDArray array = source.hasVariable(name) ? source.getArrForVarName(name) : null;
        if (array == null) {
            array = graph.getArrForVarName(name);
        }
        if (array == null) {
            throw new IllegalStateException("the variable `" + name + "` of the graph has no array");
        }
        return array;
    }

    /** Compares labels and weights with the scores before an op of the loss meets them. */
    private void checkFed(Step step, Map<String, INDArray> placeholders) {
        for (LossInputs inputs : fed) {
            for (int slot : step.outputs) {
                if (names.get(slot).equals(inputs.logits())) {
                    inputs.check(placeholders, value(slot).array().shape());
                }
            }
        }
    }

    private void execute(Step step, Map<String, INDArray> placeholders) {
        INDArray[] inputs = new INDArray[step.inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = value(step.inputs[i]).array();
        }
        if (!withoutElements.isEmpty() && !EmptyArrays.arePossible(step.op.opName(), inputs)) {
            throw Placeholders.noElements(withoutElements.get(0), placeholders);
        }
        drop(step, inputs, placeholders);
        boolean known = Overwriting.contains(step.op.opName());
        HalfProducts half = halves.get(step);
        if (half != null) {
            half.execute(step, inputs, this);
            return;
        }
        if (Shortcuts.apply(step, inputs, this)) {
            return;
        }
        List<LongShapeDescriptor> shapes = step.bind(inputs, known);
        INDArray[] results = new INDArray[step.outputs.length];
        for (int i = 0; i < results.length; i++) {
            results[i] = allocate(step, i, shapes.get(i), !known);
        }
        step.execute(results);
        for (int i = 0; i < results.length; i++) {
            HeldArray planned = value(step.outputs[i]);
            if (planned.array() != results[i]) {
                release(step.outputs[i]);
                values[step.outputs[i]] = new HeldArray(results[i], null);
            }
        }
    }

    /** Puts a mask in the place of the 1 that dropout multiplies by, if a draw of it is fed, and noise in the place of a 0. */
    private void drop(Step step, INDArray[] inputs, Map<String, INDArray> placeholders) {
        if (inputs.length < 2) {
            return;
        }
        String keep = names.get(step.inputs[1]);
        INDArray draw =
                Dropout.draw(step.op.opName(), keep).map(placeholders::get).orElse(null);
        if (draw != null) {
            inputs[1] = Dropout.mask(draw, Dropout.site(keep), inputs[0].dataType(), inputs[0].shape());
        }
        INDArray noise = EmbeddingNoise.fed(step.op.opName(), keep)
                .map(placeholders::get)
                .orElse(null);
        if (noise != null) {
            inputs[1] = noise.reshape(inputs[0].shape());
        }
    }

    private INDArray allocate(Step step, int output, LongShapeDescriptor shape, boolean zeroed) {
        if (shape.isEmpty()) {
            INDArray empty = Nd4j.create(shape.asDataType(step.types[output]));
            values[step.outputs[output]] = new HeldArray(empty, null);
            return empty;
        }
        return allocate(step, output, shape.getShape(), zeroed);
    }

    /** Gives an output memory of the pool. */
    INDArray allocate(Step step, int output, long[] shape, boolean zeroed) {
        DataType type = step.types[output];
        Storage storage = pool.take(type, shape, zeroed);
        INDArray array = storage.shaped(shape);
        values[step.outputs[output]] = new HeldArray(array, storage);
        return array;
    }

    /** Takes memory as large as an array for the time of a step. */
    Storage borrow(INDArray like) {
        return borrow(like.dataType(), like.shape());
    }

    /** Takes memory for the time of a step. */
    Storage borrow(DataType type, long[] shape) {
        return pool.take(type, shape, false);
    }

    /** Returns borrowed memory. */
    void giveBack(Storage storage) {
        pool.release(storage);
    }

    /** Makes an output another view of the memory of an input. */
    void alias(Step step, int output, int input, INDArray view) {
        values[step.outputs[output]] = value(step.inputs[input]).alias(view);
    }

    private HeldArray value(int slot) {
        HeldArray value = values[slot];
        if (value == null) {
            throw new IllegalStateException("the variable `" + names.get(slot) + "` was not computed");
        }
        return value;
    }

    private void release(int slot) {
        HeldArray value = values[slot];
        values[slot] = null;
        if (value != null && value.storage() != null) {
            pool.release(value.storage());
        }
    }

    /** The caller keeps the array: a block nobody else uses leaves the pool, everything else is copied. */
    private static INDArray handOut(HeldArray value) {
        Storage storage = value.storage();
        if (storage != null && storage.references == 1 && storage.base == value.array()) {
            storage.references++;
            return value.array();
        }
        return value.array().dup('c');
    }

    @Override
    public void close() {
        pool.close();
    }
}
