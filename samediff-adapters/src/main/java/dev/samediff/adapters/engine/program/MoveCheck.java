package dev.samediff.adapters.engine.program;

import java.util.stream.IntStream;

/** The part of {@link OpCheck} about operations that only move elements. */
final class MoveCheck {
    private final OpCheck check;

    MoveCheck(OpCheck check) {
        this.check = check;
    }

    void run() {
        Op op = check.node().op();
        Tensor y = check.out(0);
        check.node().inputs().forEach(x -> check.require(x.type() == y.type(), "elements keep their type"));
        if (op instanceof Op.Concat concat) {
            concat(concat.axis(), y);
            return;
        }
        check.arity(1, 1);
        Tensor x = check.in(0);
        if (op instanceof Op.Reshape) {
            check.require(x.length() == y.length(), "as many elements as before");
        } else if (op instanceof Op.Detach) {
            check.same(x.shape(), y);
        } else if (op instanceof Op.Permute permute) {
            int[] axes = permute.axes().stream().mapToInt(Integer::intValue).toArray();
            boolean all = IntStream.of(axes)
                    .sorted()
                    .boxed()
                    .toList()
                    .equals(IntStream.range(0, x.rank()).boxed().toList());
            check.require(all, "every axis once");
            check.same(Shapes.permute(x.shape(), axes), y);
        } else if (op instanceof Op.Slice slice) {
            check.require(slice.axis() >= 0 && slice.axis() < x.rank() && x.rank() == y.rank(), "an axis of the input");
            check.require(
                    slice.begin() >= 0
                            && y.size(slice.axis()) > 0
                            && slice.begin() + y.size(slice.axis()) <= x.size(slice.axis()),
                    "places within the axis");
            check.same(Shapes.with(x.shape(), slice.axis(), y.size(slice.axis())), y);
        } else {
            check.require(x.rank() == y.rank() && OpCheck.repeats(x, y.shape()), "axes of size 1 are repeated");
        }
    }

    private void concat(int axis, Tensor y) {
        check.require(!check.node().inputs().isEmpty() && axis >= 0 && axis < y.rank(), "parts along an axis");
        long size = 0;
        for (Tensor part : check.node().inputs()) {
            check.require(part.rank() == y.rank(), "parts have the rank of the whole");
            check.same(Shapes.with(y.shape(), axis, part.size(axis)), part);
            size += part.size(axis);
        }
        check.require(size == y.size(axis), "parts are as long as the whole");
    }
}
