package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Shapes;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/**
 * A piece of a program below a tensor, described from its result to its inputs. Shapes and axes belong to it as much as
 * operations do: a pattern that says "sum" says along which axis.
 */
@FunctionalInterface
interface Pattern {
    /** Returns all ways in which a tensor is the result of this; none if it is not. */
    List<Match> find(Tensor tensor, Match soFar);

    /** Any tensor; the same one wherever the name occurs. */
    static Pattern any(String name) {
        return (tensor, match) -> {
            Match more = match.with(name, tensor);
            return more == null ? List.of() : List.of(more);
        };
    }

    /** The result of an operation; its first inputs are those given. */
    static <T extends Op> Pattern op(Class<T> kind, Predicate<T> condition, Pattern... inputs) {
        return (tensor, match) -> {
            Node node = match.site().producer(tensor);
            if (node == null
                    || node.output() != tensor
                    || !kind.isInstance(node.op())
                    || node.inputs().size() < inputs.length
                    || !condition.test(kind.cast(node.op()))) {
                return List.of();
            }
            return inputs(node.inputs(), List.of(inputs), match);
        };
    }

    private static List<Match> inputs(List<Tensor> tensors, List<Pattern> patterns, Match match) {
        List<Match> found = List.of(match);
        for (int i = 0; i < patterns.size() && !found.isEmpty(); i++) {
            List<Match> next = new ArrayList<>();
            for (Match each : found) {
                next.addAll(patterns.get(i).find(tensors.get(i), each));
            }
            found = next;
        }
        return found;
    }

    /** An element-wise function without parameters that matter. */
    static Pattern unary(UnaryKind kind, Pattern x) {
        return op(Op.Unary.class, op -> op.kind() == kind, x);
    }

    /** A tensor times a number. */
    static Pattern scaled(Pattern x) {
        return op(Op.Unary.class, op -> op.kind() == UnaryKind.LINEAR && op.beta() == 0, x);
    }

    /** An element-wise function of two tensors, in both orders if the order does not matter. */
    static Pattern binary(BinaryKind kind, Pattern a, Pattern b) {
        Pattern inOrder = op(Op.Binary.class, op -> op.kind() == kind, a, b);
        return kind.isCommutative() ? oneOf(inOrder, op(Op.Binary.class, op -> op.kind() == kind, b, a)) : inOrder;
    }

    /** A reduction of the last axis, and of no other, which stays with size 1. */
    static Pattern ofLastAxis(ReduceKind kind, Pattern x) {
        Pattern reduced = op(Op.Reduce.class, op -> op.kind() == kind, x);
        return (tensor, match) -> {
            Node node = match.site().producer(tensor);
            boolean fits = node != null && node.op() instanceof Op.Reduce && isOfLastAxis(node);
            return fits ? reduced.find(tensor, match) : List.of();
        };
    }

    private static boolean isOfLastAxis(Node node) {
        Tensor x = node.input(0);
        return x.rank() > 0 && x.size(-1) > 1 && node.output().hasShape(Shapes.with(x.shape(), x.rank() - 1, 1));
    }

    /** The pattern, or the same elements in another shape. */
    static Pattern reshaped(Pattern x) {
        return oneOf(x, (tensor, match) -> {
            Node node = match.site().producer(tensor);
            return node != null && node.op() instanceof Op.Reshape ? reshaped(x).find(node.input(0), match) : List.of();
        });
    }

    /** The first of several patterns that is found. */
    static Pattern oneOf(Pattern... patterns) {
        return (tensor, match) -> Arrays.stream(patterns)
                .flatMap(pattern -> pattern.find(tensor, match).stream())
                .toList();
    }

    /** This, read by nothing else, so that it need not exist when the form has taken its place. */
    default Pattern once() {
        return (tensor, match) -> match.site().isReadOnce(tensor) ? find(tensor, match) : List.of();
    }

    /** This, with a name for its result. */
    default Pattern as(String name) {
        return (tensor, match) -> {
            Match named = match.with(name, tensor);
            return named == null ? List.of() : find(tensor, named);
        };
    }

    /** This, if a condition holds for what was found. */
    default Pattern where(Predicate<Match> condition) {
        return (tensor, match) -> find(tensor, match).stream().filter(condition).toList();
    }
}
