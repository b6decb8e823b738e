package dev.samediff.adapters.engine.oracle;

import dev.samediff.adapters.engine.program.Op;
import java.util.List;

/** Operations that move numbers. */
final class MoveMath {
    private MoveMath() {}

    static boolean has(Op op) {
        return op instanceof Op.View
                || op instanceof Op.Concat
                || op instanceof Op.Gather
                || op instanceof Op.GatherGrad
                || op instanceof Op.WriteRows;
    }

    static Values apply(Op op, long[] shape, List<Values> in) {
        Values x = in.get(0);
        if (op instanceof Op.Reshape) {
            return Values.of(shape, i -> x.data()[i]);
        }
        if (op instanceof Op.Permute permute) {
            return Values.of(shape, i -> {
                long[] index = Values.index(shape, i);
                long[] from = new long[index.length];
                for (int axis = 0; axis < index.length; axis++) {
                    from[permute.axes().get(axis)] = index[axis];
                }
                return x.at(from);
            });
        }
        if (op instanceof Op.Slice slice) {
            return Values.of(shape, i -> {
                long[] index = Values.index(shape, i);
                index[slice.axis()] += slice.begin();
                return x.at(index);
            });
        }
        if (op instanceof Op.Expand) {
            return Values.of(shape, i -> x.broadcast(Values.index(shape, i)));
        }
        if (op instanceof Op.Concat concat) {
            return concat(concat.axis(), shape, in);
        }
        if (op instanceof Op.Gather) {
            return Values.of(shape, i -> x.at((long) in.get(1).data()[i / x.size(1)], i % x.size(1)));
        }
        return op instanceof Op.GatherGrad ? scatter(shape, x, in.get(1)) : write(in);
    }

    private static Values concat(int axis, long[] shape, List<Values> parts) {
        return Values.of(shape, i -> {
            long[] index = Values.index(shape, i);
            for (Values part : parts) {
                if (index[axis] < part.size(axis)) {
                    return part.at(index);
                }
                index[axis] -= part.size(axis);
            }
            throw new IllegalStateException("parts are too short");
        });
    }

    private static Values scatter(long[] shape, Values rows, Values ids) {
        Values table = Values.zeros(shape);
        int width = table.size(1);
        for (int i = 0; i < rows.data().length; i++) {
            table.data()[(int) ids.data()[i / width] * width + i % width] += rows.data()[i];
        }
        return table;
    }

    private static Values write(List<Values> in) {
        Values cache = new Values(in.get(0).shape(), in.get(0).data().clone());
        Values rows = in.get(1);
        Values positions = in.get(2);
        int count = cache.size(0);
        int width = cache.size(2);
        int perText = count / positions.data().length;
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < width; j++) {
                int at = cache.position(i, (long) positions.data()[i / perText], j);
                cache.data()[at] = rows.data()[i * width + j];
            }
        }
        return cache;
    }
}
