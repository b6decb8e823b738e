package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.common.base.Preconditions;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseReduceOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.RandomOp;
import org.nd4j.linalg.api.ops.ReduceOp;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.MulOp;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;

/** One op of a graph with a reused context, executed as SameDiff's InferenceSession does. Not thread-safe. */
public final class NativeOp {
    private static final MulOp MULTIPLY = new MulOp();

    /** Custom ops that draw random numbers; legacy ones are {@link RandomOp}s. */
    private static final Set<String> RANDOM = Set.of(
            "randomuniform",
            "random_normal",
            "random_bernoulli",
            "random_exponential",
            "random_gamma",
            "random_poisson",
            "random_multinomial",
            "random_shuffle",
            "random_crop",
            "dropout",
            "alpha_dropout");

    private final String name;
    private final DifferentialFunction op;
    private final DataType[] types;
    private final List<IndexOperand> places;
    private final IndexNames names;
    private final OpContext context;
    private final long[] @Nullable [] lastInputs;
    private List<LongShapeDescriptor> lastShapes = List.of();
    private @Nullable OpContext products;

    /**
     * Prepares an op.
     *
     * @param graph the graph it belongs to, which knows the types of its outputs
     * @param node the op
     */
    public NativeOp(SameDiff graph, ExecutionOrder.Node node) {
        this(
                graph,
                node.name(),
                node.function(),
                node.outputs().stream()
                        .map(output -> graph.getVariable(output).dataType())
                        .toArray(DataType[]::new),
                node.inputs());
    }

    /**
     * Prepares an op that belongs to no graph.
     *
     * @param op the op
     * @param types the types of its outputs
     * @param inputs how many inputs it has
     */
    public NativeOp(DynamicCustomOp op, DataType[] types, int inputs) {
        this(null, op.opName(), op, types, Collections.nCopies(inputs, op.opName()));
    }

    private NativeOp(
            @Nullable SameDiff graph, String name, DifferentialFunction op, DataType[] types, List<String> inputs) {
        this.name = name;
        this.op = op;
        this.types = types;
        this.places = IndexOperands.of(op);
        this.names = new IndexNames(graph, name, op.opName(), inputs);
        this.lastInputs = new long[inputs.size()][];
        this.context = Nd4j.getExecutioner().buildContext();
        if (op instanceof DynamicCustomOp custom) {
            context.setIArguments(custom.iArgs());
            context.setTArguments(custom.tArgs());
            context.setBArguments(custom.bArgs());
            context.setDArguments(custom.dArgs());
        }
    }

    /** Returns the op. */
    public DifferentialFunction op() {
        return op;
    }

    /** Tells whether two executions with the same inputs give different results. */
    public boolean isRandom() {
        return op instanceof RandomOp || RANDOM.contains(op.opName());
    }

    /** Tells whether all of the output is written; otherwise it must be zero before. */
    public boolean overwrites() {
        return Overwriting.contains(op.opName());
    }

    /** Returns the types of the outputs. */
    public DataType[] types() {
        return types;
    }

    /**
     * Takes inputs and returns the shapes and types of the outputs for them.
     *
     * @param arrays the inputs
     * @param byShape whether the op's shapes depend on nothing but the shapes of inputs that are all floating point
     * @throws InvalidInputException if the op's arguments are places outside of an input, see {@link SliceIndices}
     */
    public List<LongShapeDescriptor> bind(INDArray[] arrays, boolean byShape) {
        if (op instanceof CustomOp custom) {
            for (int i = 0; i < arrays.length; i++) {
                context.setInputArray(i, arrays[i]);
            }
            if (byShape && sameShapes(arrays)) {
                return lastShapes;
            }
            SliceIndices.check(op, arrays, names);
            List<LongShapeDescriptor> shapes = ((DynamicCustomOp) custom).calculateOutputShape(context);
            Preconditions.checkState(
                    shapes.size() == types.length,
                    "op %s (%s) has %s outputs, its shape function gave %s",
                    name,
                    op.opName(),
                    types.length,
                    shapes.size());
            lastShapes = shapes;
            for (int i = 0; i < arrays.length; i++) {
                lastInputs[i] = arrays[i].dataType().isFPType() ? arrays[i].shape() : null;
            }
            return shapes;
        }
        return bindLegacy((Op) op, arrays);
    }

    private boolean sameShapes(INDArray[] arrays) {
        for (int i = 0; i < arrays.length; i++) {
            if (lastInputs[i] == null || !Arrays.equals(lastInputs[i], arrays[i].shape())) {
                return false;
            }
        }
        return arrays.length > 0;
    }

    private List<LongShapeDescriptor> bindLegacy(Op legacy, INDArray[] arrays) {
        boolean axisGiven = false;
        if (arrays.length == 2 && legacy instanceof ReduceOp reduce && reduce.getOpType() != Op.Type.REDUCE3) {
            axisGiven = true;
            boolean nothing = arrays[1].isEmpty();
            op.setDimensions(nothing ? null : Shape.normalizeAxis(arrays[0].rank(), arrays[1].toIntVector()));
            ((BaseReduceOp) reduce).setEmptyReduce(nothing);
            if (nothing) {
                context.setInputArray(0, arrays[0]);
                return List.of(LongShapeDescriptor.fromShape(arrays[0].shape(), arrays[0].dataType()));
            }
        } else if (arrays.length == 2 && legacy instanceof ScalarOp scalar) {
            scalar.setScalar(arrays[1]);
        }
        if (arrays.length > 0) {
            context.setInputArray(0, arrays[0]);
        }
        if (arrays.length == 2 && !axisGiven) {
            context.setInputArray(1, arrays[1]);
        }
        return ((org.nd4j.linalg.api.ops.BaseOp) legacy).calculateOutputShape(context);
    }

    /**
     * Executes the op into these arrays; returns what it really wrote into, which legacy ops may replace.
     *
     * @throws InvalidInputException if an input holds places that do not exist, see {@link IndexOperands}
     */
    public INDArray[] execute(INDArray[] results) {
        for (int i = 0; i < results.length; i++) {
            context.setOutputArray(i, results[i]);
        }
        if (op instanceof CustomOp custom) {
            if (!places.isEmpty()) {
                checkPlaces(custom, context, places, names);
            }
            Nd4j.exec(custom, context);
        } else {
            Nd4j.exec((Op) op, context);
            results[0] = context.getOutputArray(0);
            op.clearArrays();
        }
        return results;
    }

    /**
     * Checks the places that an op is about to use, for sessions that execute ops themselves.
     *
     * @param graph the graph of the op
     * @param node the op
     * @param context its inputs; places that count from the end are replaced
     * @throws InvalidInputException if there are places that do not exist
     */
    public static void checkPlaces(SameDiff graph, ExecutionOrder.Node node, OpContext context) {
        List<IndexOperand> places = IndexOperands.of(node.function());
        if (node.function() instanceof CustomOp custom) {
            IndexNames names =
                    new IndexNames(graph, node.name(), node.function().opName(), node.inputs());
            SliceIndices.check(node.function(), context.getInputArrays().toArray(INDArray[]::new), names);
            if (!places.isEmpty()) {
                checkPlaces(custom, context, places, names);
            }
        }
    }

    private static void checkPlaces(CustomOp op, OpContext context, List<IndexOperand> places, IndexNames names) {
        List<INDArray> inputs = context.getInputArrays();
        if (inputs.size() == 1 && op.opName().equals("gather")) {
            checkArguments(op, context, places.get(0), names);
            return;
        }
        for (IndexOperand operand : places) {
            if (operand.input() < inputs.size()) {
                INDArray given = inputs.get(operand.input());
                INDArray checked = operand.checked(inputs, op.iArgs(), names);
                if (checked != given) {
                    context.setInputArray(operand.input(), checked);
                }
            }
        }
    }

    /** A gather whose places are arguments, behind the axis. */
    private static void checkArguments(CustomOp op, OpContext context, IndexOperand operand, IndexNames names) {
        long[] arguments = op.iArgs().clone();
        if (arguments.length < 2) {
            return;
        }
        INDArray given = Nd4j.createFromArray(Arrays.copyOfRange(arguments, 1, arguments.length));
        INDArray checked = operand.checked(List.of(context.getInputArray(0), given), arguments, names);
        System.arraycopy(checked.toLongVector(), 0, arguments, 1, arguments.length - 1);
        context.setIArguments(arguments);
    }

    /** Writes x y into a result, in place of this step's op. */
    public void multiply(INDArray x, INDArray y, INDArray result) {
        if (products == null) {
            products = Nd4j.getExecutioner().buildContext();
        }
        products.setInputArray(0, x);
        products.setInputArray(1, y);
        products.setOutputArray(0, result);
        Nd4j.exec(MULTIPLY, products);
    }
}
