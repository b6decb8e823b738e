package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.loss.LossReduce;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseReduceOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.api.ops.impl.summarystats.Variance;
import org.nd4j.linalg.api.ops.impl.transforms.Pad;

/**
 * Finds the ops of ND4J 1.0.0-M2.1 whose gradient (or result) is silently wrong, where a gradient flows through them: on
 * the way from a trainable variable to the loss.
 */
public final class GraphAudit {
    private static final String ERROR = "has a wrong gradient in ND4J 1.0.0-M2.1";

    /** Ops that are wrong whatever their arguments, by op name; what to use instead. */
    private static final Map<String, String> WRONG = Map.ofEntries(
            Map.entry("cumsum", ERROR + "; multiply by a triangular matrix instead"),
            Map.entry("cumprod", ERROR),
            Map.entry("gather_nd", "has no gradient; use a one-hot product instead"),
            Map.entry("where", "has no gradient; use c * a + (1 - c) * b instead"),
            Map.entry("where_np", "has no gradient; use c * a + (1 - c) * b instead"),
            Map.entry("Where", "has no gradient; use c * a + (1 - c) * b instead"),
            Map.entry("split_v", "has no gradient; use stridedSlice instead"),
            Map.entry("qr", "has no gradient"),
            Map.entry("svd", "fails or is wrong on most shapes"),
            Map.entry("matrix_inverse", ERROR),
            Map.entry("cross", ERROR + "; write the three products out"),
            Map.entry("lrn", ERROR + "; build it from primitives"),
            Map.entry("clipbynorm", ERROR + "; build it from norm2, clipByValue and div"),
            Map.entry("tensordot", "fails in the backward pass; reshape to rank 2 and use mmul"),
            Map.entry("tensormmul", "fails in the backward pass; reshape to rank 2 and use mmul"),
            Map.entry("logsumexp", "fails in the backward pass; build it from max, exp, sum and log"),
            Map.entry("reduce_logsumexp", "fails in the backward pass; build it from max, exp, sum and log"),
            Map.entry("repeat", "crashes the process in one of its forms; use tile instead"));

    /** Losses whose gradient is right only if nothing but sums comes after them. */
    private static final Set<String> LOSSES = Set.of(
            "absolute_difference_loss",
            "cosine_distance_loss",
            "ctc_loss",
            "hinge_loss",
            "huber_loss",
            "l2_loss",
            "log_loss",
            "log_poisson_loss",
            "mean_pairwssqerr_loss",
            "mean_sqerr_loss",
            "sigm_cross_entropy_loss",
            "softmax_cross_entropy_loss",
            "softmax_cross_entropy_loss_with_logits",
            "sparse_softmax_cross_entropy_loss_with_logits",
            "weighted_cross_entropy_with_logits");

    /** Those of them that say in their first whole number how they reduce, if they do. */
    private static final Set<String> REDUCING = Set.of(
            "absolute_difference_loss",
            "cosine_distance_loss",
            "hinge_loss",
            "huber_loss",
            "log_loss",
            "log_poisson_loss",
            "mean_pairwssqerr_loss",
            "mean_sqerr_loss",
            "sigm_cross_entropy_loss",
            "softmax_cross_entropy_loss");

    /** Ops that hand a gradient on as it is. */
    private static final Set<String> PASSING =
            Set.of("add_scalar", "sub_scalar", "mergeadd", "identity", "reshape", "squeeze", "expand_dims");

    /** Ops that compute something slightly else than their names say; their gradients match what they compute. */
    private static final Map<String, String> INACCURATE = Map.of(
            "gelu", "computes the sigmoid approximation, up to 1.8e-2 away from the exact GELU",
            "precise_gelu", "is up to 3.3e-2 away from the tanh GELU",
            "layer_norm", "has no epsilon: results are up to 1.8e-3 away from a layer norm with epsilon 1e-5");

    private GraphAudit() {}

    /** How bad a finding is. */
    public enum Severity {
        /** Training would be wrong or would fail. */
        ERROR,
        /** The op does not compute quite what its name says; training is consistent with what it computes. */
        NOTE
    }

    /**
     * An op that does not do what it should.
     *
     * @param severity how bad
     * @param op name of the op
     * @param type the op's type, such as {@code cumsum}
     * @param variable the op's first result
     * @param message what is wrong and what to use instead
     */
    public record Finding(Severity severity, String op, String type, String variable, String message) {
        @Override
        public String toString() {
            return "the op `" + op + "` (" + type + ", result `" + variable + "`) " + message;
        }
    }

    /**
     * Looks at every op through which a gradient flows.
     *
     * @param graph the graph
     * @param outputs loss variables or other results gradients start from
     * @param trainables variables that are trained
     * @return what was found, errors first
     */
    public static List<Finding> check(SameDiff graph, Collection<String> outputs, Collection<String> trainables) {
        Set<String> fromTrainables = GradientFlow.from(graph, trainables);
        Set<String> path = GradientFlow.ops(graph, outputs);
        List<Finding> findings = new ArrayList<>();
        for (String name : path) {
            SameDiffOp op = Internals.op(graph, name);
            List<String> inputs = Internals.inputs(op);
            if (inputs.stream().anyMatch(fromTrainables::contains)) {
                inspect(graph, op, inputs, fromTrainables, findings);
                inspectLoss(graph, op, path, findings);
            }
        }
        findings.sort((a, b) -> a.severity().compareTo(b.severity()));
        return findings;
    }

    /**
     * Refuses a graph with a wrong gradient between the trainable variables and the outputs.
     *
     * @throws InvalidInputException that names every such op
     */
    public static void requireSafe(SameDiff graph, Collection<String> outputs, Collection<String> trainables) {
        refuse(check(graph, outputs, trainables));
    }

    private static void refuse(List<Finding> findings) {
        String errors = findings.stream()
                .filter(finding -> finding.severity() == Severity.ERROR)
                .map(Finding::toString)
                .collect(Collectors.joining("; "));
        if (!errors.isEmpty()) {
            throw new InvalidInputException("this graph cannot be trained correctly: " + errors);
        }
    }

    /** Refuses one op of a graph, if its gradient by some of its inputs is wrong whatever comes after it. */
    static void requireSafe(DifferentialFunction op, IntPredicate differentiated) {
        SameDiff graph = op.getSameDiff();
        SameDiffOp found = Internals.op(graph, op.getOwnName());
        List<String> inputs = Internals.inputs(found);
        Set<String> trainables = IntStream.range(0, inputs.size())
                .filter(differentiated)
                .mapToObj(inputs::get)
                .collect(Collectors.toSet());
        List<Finding> findings = new ArrayList<>();
        inspect(graph, found, inputs, trainables, findings);
        refuse(findings);
    }

    /** Tells whether an op's gradient in SameDiff is what it would be if nothing came after it. */
    static boolean ignoresGradient(String opName) {
        return LOSSES.contains(opName);
    }

    private static void inspectLoss(SameDiff graph, SameDiffOp op, Set<String> path, List<Finding> findings) {
        if (ignoresGradient(op.getOp().opName())
                && !isOnlySummed(graph, op.getOutputsOfOp().get(0), isOneNumber(op.getOp()), false, path)) {
            findings.add(finding(
                    Severity.ERROR,
                    op,
                    ERROR + ": it ignores what comes after it. Let its result be the loss, with nothing but sums behind"
                            + " it, or build the loss by Losses; if it is a loss variable of the graph that you do not"
                            + " train by, take it away before: graph.setLossVariables(...)"));
        }
    }

    /** Tells whether a loss op reduces to one number, of which a mean is the number itself. */
    private static boolean isOneNumber(DifferentialFunction op) {
        return REDUCING.contains(op.opName())
                && op instanceof DynamicCustomOp loss
                && loss.numIArguments() > 0
                && loss.getIArgument(0) != LossReduce.NONE.ordinal();
    }

    /**
     * Tells whether nothing but sums lies on the ways from a variable to the outputs. A sum over elements, or their mean, must
     * come before anything is added: a number that was added to many counts many times.
     */
    private static boolean isOnlySummed(
            SameDiff graph, String variable, boolean oneNumber, boolean added, Set<String> path) {
        return Internals.readers(graph, variable).stream()
                .filter(path::contains)
                .allMatch(name -> {
                    SameDiffOp reader = Internals.op(graph, name);
                    String type = reader.getOp().opName();
                    boolean adds = type.equals("add"); // may repeat it to another shape
                    boolean passes = adds
                            || PASSING.contains(type)
                            || (type.equals("reduce_sum") && !added)
                            || (type.equals("reduce_mean") && oneNumber);
                    return passes
                            && isOnlySummed(
                                    graph, reader.getOutputsOfOp().get(0), oneNumber && !adds, added || adds, path);
                });
    }

    private static void inspect(
            SameDiff graph, SameDiffOp op, List<String> inputs, Set<String> fromTrainables, List<Finding> findings) {
        String type = op.getOp().opName();
        String wrong = WRONG.get(type);
        if (wrong != null) {
            findings.add(finding(Severity.ERROR, op, wrong));
        }
        String inaccurate = INACCURATE.get(type);
        if (inaccurate != null) {
            findings.add(finding(Severity.NOTE, op, inaccurate));
        }
        if (type.equals("gather") && fromTrainables.contains(inputs.get(0))) {
            findings.add(finding(
                    Severity.ERROR,
                    op,
                    ERROR
                            + ": it overwrites repeated rows instead of adding them up; use a one-hot product, or put an adapter on the"
                            + " frozen table"));
        }
        if (op.getOp() instanceof Pad pad && pad.iArgs().length > 0 && pad.iArgs()[0] != 0) {
            findings.add(finding(
                    Severity.ERROR,
                    op,
                    ERROR + " in its REFLECT and SYMMETRIC modes: what is mirrored gets none; use slices, reverse and"
                            + " concat"));
        }
        if (op.getOp() instanceof Mmul matmul && hasOneColumn(matmul, graph.getVariable(inputs.get(1)))) {
            findings.add(finding(
                    Severity.NOTE,
                    op,
                    "has a wrong gradient in ND4J 1.0.0-M2.1 when its input has a single row, because the result is [1,1] and"
                            + " one operand is transposed; train it with two rows or more"));
        }
        if (op.getOp() instanceof Variance variance && !variance.isBiasCorrected()) {
            findings.add(finding(
                    Severity.ERROR,
                    op,
                    ERROR + " with biasCorrected = false; build it from mean, sub, square and mean"));
        }
        if (op.getOp() instanceof BaseReduceOp reduce && reduce.isKeepDims() && hasNegativeAxis(reduce)) {
            findings.add(
                    finding(
                            Severity.ERROR,
                            op,
                            "is wrong for keepDims = true and a negative axis in ND4J 1.0.0-M2.1; give the axis counted from 0"));
        }
    }

    private static boolean hasOneColumn(Mmul matmul, SDVariable weight) {
        long[] flags = matmul.iArgs();
        boolean transposed = flags.length > 1 && (flags[0] != 0) != (flags[1] != 0);
        INDArray array = weight.getVariableType() == VariableType.ARRAY ? null : weight.getArr();
        return transposed && array != null && array.rank() == 2 && array.size(flags[1] != 0 ? 0 : 1) == 1;
    }

    private static boolean hasNegativeAxis(Op reduce) {
        int[] axes = ((BaseReduceOp) reduce).getDimensions();
        if (axes != null) {
            for (int axis : axes) {
                if (axis < 0) {
                    return true;
                }
            }
        }
        return false;
    }

    private static Finding finding(Severity severity, SameDiffOp op, String message) {
        return new Finding(
                severity, op.getName(), op.getOp().opName(), op.getOutputsOfOp().get(0), message);
    }
}
