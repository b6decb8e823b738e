package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.nd4j.Dense;
import dev.samediff.adapters.engine.nd4j.NativeOp;
import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.graph.Dropout;
import dev.samediff.adapters.graph.EmbeddingNoise;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.factory.Nd4j;

/** Translates the part of a graph that some outputs need, for placeholders of known shapes. */
public final class Lowering {
    /** Larger float constants are weights: read at every step, not computed with while translating. */
    private static final long LARGEST_FOLDED = 4096;

    private static final Set<String> BY_SHAPE =
            Set.of("shape_of", "size_at", "size", "rank", "zeros_as", "ones_as", "zeroslike", "oneslike");

    private final SameDiff graph;
    private final Function<String, INDArray> placeholders;
    private final ProgramBuilder builder;
    /** Whether constants of the graph are weights that are read at every step; otherwise they belong to the program. */
    private final boolean readsWeights;
    /** Operands of matrix products: weights, however small. */
    private final Set<String> factors = new HashSet<>();

    private final Map<String, Value> values = new HashMap<>();
    private final Map<String, INDArray> folded;
    /** The draws of dropout and the noise that are fed; other dropout does nothing. */
    private Set<String> draws = Set.of();

    private Lowering(
            SameDiff graph,
            Function<String, INDArray> placeholders,
            ProgramBuilder builder,
            boolean readsWeights,
            Map<String, INDArray> folded) {
        this.folded = folded;
        this.graph = graph;
        this.placeholders = placeholders;
        this.builder = builder;
        this.readsWeights = readsWeights;
    }

    /**
     * What a translation gives.
     *
     * @param builder the program so far
     * @param outputs the tensors of the wanted variables
     * @param folded constants of the graph that were computed with; the program holds as long as they stay the same
     * @param shapes the shapes of all variables that were met
     */
    public record Lowered(
            ProgramBuilder builder,
            Map<String, Tensor> outputs,
            Map<String, INDArray> folded,
            Map<String, long[]> shapes) {
        /** Returns the shape of a variable; nothing if the outputs do not need it. */
        public Optional<long[]> shape(String variable) {
            return Optional.ofNullable(shapes.get(variable));
        }
    }

    /**
     * Translates.
     *
     * @param graph the graph; it is not changed
     * @param outputs variables to compute
     * @param placeholders gives an array of a placeholder's shape; its values do not matter
     * @throws UncompilableException if a shape depends on data, or is none that programs have
     */
    public static Lowered lower(SameDiff graph, Collection<String> outputs, Function<String, INDArray> placeholders) {
        return lower(graph, outputs, placeholders, Set.of(), new LinkedHashMap<>());
    }

    /**
     * Translates, and tells what was computed with also if there is no program.
     *
     * @param graph the graph; it is not changed
     * @param outputs variables to compute
     * @param placeholders gives an array of a placeholder's shape; its values do not matter
     * @param draws the names of draws that are fed to dropout, and of noise
     * @param folded gets the constants of the graph that were computed with; the program, or that there is none, holds as long
     *     as they stay the same
     * @throws UncompilableException if a shape depends on data, or is none that programs have
     */
    public static Lowered lower(
            SameDiff graph,
            Collection<String> outputs,
            Function<String, INDArray> placeholders,
            Set<String> draws,
            Map<String, INDArray> folded) {
        Lowering lowering = new Lowering(graph, placeholders, new ProgramBuilder(), true, folded);
        lowering.draws = Set.copyOf(draws);
        List<ExecutionOrder.Node> order = ExecutionOrder.of(graph, outputs);
        order.stream()
                .filter(node -> node.function().opName().equals("matmul"))
                .forEach(node -> lowering.factors.addAll(node.inputs()));
        order.forEach(lowering::lower);
        Map<String, long[]> shapes = new HashMap<>();
        Map<String, Tensor> tensors = lowering.tensors(outputs);
        lowering.values.forEach((name, value) -> shapes.put(name, value.shape()));
        return new Lowered(lowering.builder, tensors, folded, shapes);
    }

    /**
     * Translates a graph into a program that is being written.
     *
     * @param graph a small graph whose constants do not change
     * @param outputs variables to compute
     * @param given what its placeholders, and results that are there already, are in the program
     * @param builder the program
     * @return the tensors of the outputs
     * @throws UncompilableException if a shape depends on data
     */
    public static Map<String, Tensor> lower(
            SameDiff graph, Collection<String> outputs, Map<String, Tensor> given, ProgramBuilder builder) {
        Function<String, INDArray> none = name -> {
            throw new IllegalStateException("the placeholder `" + name + "` is not given; there are " + given.keySet());
        };
        Lowering lowering = new Lowering(graph, none, builder, false, new LinkedHashMap<>());
        given.forEach((name, tensor) -> {
            INDArray known = builder.literal(tensor);
            lowering.values.put(name, known == null ? Value.of(tensor) : Value.of(known));
        });
        ExecutionOrder.of(graph, outputs).forEach(lowering::lower);
        return lowering.tensors(outputs);
    }

    private Map<String, Tensor> tensors(Collection<String> outputs) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (String output : outputs) {
            Value value = value(output);
            INDArray known = value.known();
            if (known != null) {
                Ranks.require("the output `" + output + "`", known.shape());
            }
            tensors.put(output, known == null ? value.present() : builder.literal(output, Dense.of(known)));
        }
        return tensors;
    }

    private void lower(ExecutionOrder.Node node) {
        if (values.keySet().containsAll(node.outputs())) {
            return;
        }
        List<Value> inputs = node.inputs().stream().map(this::value).toList();
        if (drops(node, inputs) || addsNoise(node, inputs)) {
            return;
        }
        NativeOp op = new NativeOp(graph, node);
        boolean known = inputs.stream().allMatch(Value::isKnown) && !op.isRandom();
        if (known || BY_SHAPE.contains(op.op().opName())) {
            evaluate(node, op, inputs);
            return;
        }
        List<LongShapeDescriptor> shapes = OutputShapes.of(node, op, inputs);
        shapes.forEach(shape ->
                Ranks.require("`" + node.outputs().get(0) + "`, of " + describe(node) + ",", shape.getShape()));
        Call call = new Call(node, inputs, shapes, builder);
        List<Tensor> outputs = OpLowerings.of(op.op().opName()).lower(call);
        if (outputs == null) {
            outputs = builder.add(
                    new Op.Nd4j(op),
                    call.tensors(),
                    List.of(op.types()),
                    shapes.stream().map(LongShapeDescriptor::getShape).toList());
        }
        check(node, outputs, shapes);
        for (int i = 0; i < outputs.size(); i++) {
            values.put(node.outputs().get(i), Value.of(outputs.get(i)));
        }
    }

    private boolean drops(ExecutionOrder.Node node, List<Value> inputs) {
        if (draws.isEmpty() || inputs.size() != 2) {
            return false;
        }
        String keep = node.inputs().get(1);
        Optional<String> draw = Dropout.draw(node.function().opName(), keep).filter(draws::contains);
        if (draw.isEmpty() || inputs.get(0).isKnown()) {
            return false;
        }
        Tensor x = inputs.get(0).present();
        if (!x.isFloat()) {
            throw new UncompilableException(describe(node) + " drops elements of type " + x.type());
        }
        Tensor leaf = builder.leaf(draw.get(), DataType.LONG, 2);
        Op op = new Op.Dropout(Dropout.site(keep));
        values.put(node.outputs().get(0), Value.of(builder.add(op, List.of(x, leaf), x.type(), x.shape())));
        return true;
    }

    private boolean addsNoise(ExecutionOrder.Node node, List<Value> inputs) {
        if (draws.isEmpty() || inputs.size() != 2 || inputs.get(0).isKnown()) {
            return false;
        }
        Optional<String> noise = EmbeddingNoise.fed(
                        node.function().opName(), node.inputs().get(1))
                .filter(draws::contains);
        if (noise.isEmpty()) {
            return false;
        }
        Tensor x = inputs.get(0).present();
        Tensor leaf = builder.reshape(builder.leaf(noise.get(), DataType.FLOAT, x.length()), x.shape());
        values.put(
                node.outputs().get(0),
                Value.of(builder.add(new Op.Binary(BinaryKind.ADD), List.of(x, leaf), x.type(), x.shape())));
        return true;
    }

    private static void check(ExecutionOrder.Node node, List<Tensor> outputs, List<LongShapeDescriptor> shapes) {
        for (int i = 0; i < outputs.size(); i++) {
            if (!outputs.get(i).hasShape(shapes.get(i).getShape())) {
                throw new UncompilableException(describe(node) + " was translated to " + outputs.get(i)
                        + ", its shape should be "
                        + Arrays.toString(shapes.get(i).getShape()));
            }
        }
    }

    static String describe(ExecutionOrder.Node node) {
        return "the op `" + node.name() + "` (" + node.function().opName() + ")";
    }

    /** Computes an op now. */
    private void evaluate(ExecutionOrder.Node node, NativeOp op, List<Value> inputs) {
        INDArray[] arrays = inputs.stream().map(value -> Dummies.of(value, 0)).toArray(INDArray[]::new);
        List<LongShapeDescriptor> shapes = op.bind(arrays, false);
        INDArray[] results = new INDArray[shapes.size()];
        for (int i = 0; i < results.length; i++) {
            LongShapeDescriptor shape = shapes.get(i);
            results[i] = shape.isEmpty()
                    ? Nd4j.create(shape.asDataType(op.types()[i]))
                    : Nd4j.zeros(op.types()[i], shape.getShape());
        }
        INDArray[] written = op.execute(results);
        for (int i = 0; i < written.length; i++) {
            values.put(node.outputs().get(i), Value.of(written[i]));
        }
    }

    private Value value(String name) {
        Value value = values.get(name);
        if (value == null) {
            value = leaf(name);
            values.put(name, value);
        }
        return value;
    }

    private Value leaf(String name) {
        SDVariable variable = graph.getVariable(name);
        if (variable.isPlaceHolder()) {
            long[] shape = placeholders.apply(name).shape();
            Ranks.require("the placeholder `" + name + "`", shape);
            return Value.of(builder.leaf(name, variable.dataType(), shape));
        }
        INDArray array = array(name);
        boolean weight = readsWeights && isWeight(name, variable, array);
        if (weight) {
            Ranks.require("the variable `" + name + "`", array.shape());
            return Value.of(builder.leaf(name, array.dataType(), array.shape()));
        }
        folded.put(name, array);
        return Value.of(array);
    }

    private boolean isWeight(String name, SDVariable variable, INDArray array) {
        return variable.getVariableType() == VariableType.VARIABLE
                || (array.dataType() == DataType.FLOAT && (array.length() > LARGEST_FOLDED || factors.contains(name)));
    }

    private INDArray array(String name) {
        @Nullable INDArray array = graph.getArrForVarName(name);
        if (array == null) {
            throw new IllegalStateException("the variable `" + name + "` of the graph has no array");
        }
        return array;
    }
}
