package dev.samediff.importer.onnx;

import dev.samediff.importer.folding.Axes;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Real numbers that are computed from stored tensors only: their shape now, the numbers when somebody reads them.
 *
 * @param shape the shape
 * @param type element type in the file
 * @param sources names of the stored tensors
 * @param rows the rows of the only source that these are, "" if they are all of it or of several
 * @param numbers computes them; the array may be a view
 */
record WeightPart(long[] shape, int type, Set<String> sources, String rows, Supplier<INDArray> numbers) {
    /** A stored tensor. */
    static WeightPart stored(OnnxTensor tensor, int type) {
        return new WeightPart(tensor.shape(), type, Set.of(tensor.name()), "", tensor::toArray);
    }

    WeightPart typed(int other) {
        return new WeightPart(shape, other, sources, rows, numbers);
    }

    private WeightPart changed(long[] newShape, String newRows, UnaryOperator<INDArray> change) {
        return new WeightPart(newShape, type, sources, newRows, () -> change.apply(numbers.get()));
    }

    WeightPart reshaped(long... wanted) {
        return changed(wanted, rows, array -> array.dup('c').reshape('c', wanted));
    }

    WeightPart permuted(long... order) {
        long[] permuted = Arrays.stream(order).map(axis -> shape[(int) axis]).toArray();
        return changed(permuted, rows, array -> array.permute(ints(order)));
    }

    private static int[] ints(long[] order) {
        return Arrays.stream(order).mapToInt(axis -> (int) axis).toArray();
    }

    /** Elements from a start to an end of an axis. */
    WeightPart cut(int axis, long start, long end, long step) {
        long[] cut = shape.clone();
        cut[axis] = Math.max(0, (end - start + step - 1) / step);
        boolean whole = start == 0 && end == shape[axis] && step == 1;
        String described = whole ? rows : rows + "[" + (axis == 0 ? "" : axis + ":") + start + "-" + end + "]";
        return changed(cut, described, array -> {
            INDArrayIndex[] places = new INDArrayIndex[shape.length];
            Arrays.fill(places, NDArrayIndex.all());
            places[axis] = NDArrayIndex.interval(start, step, end);
            return array.get(places).reshape(cut);
        });
    }

    /** Parts one after the other along an axis. */
    static WeightPart joined(List<WeightPart> parts, int axis) {
        long[] shape = parts.get(0).shape.clone();
        shape[axis] = parts.stream().mapToLong(part -> part.shape[axis]).sum();
        Set<String> sources = new LinkedHashSet<>();
        parts.forEach(part -> sources.addAll(part.sources));
        return new WeightPart(shape, parts.get(0).type, sources, "", () -> {
            INDArray[] arrays =
                    parts.stream().map(part -> part.numbers.get().dup('c')).toArray(INDArray[]::new);
            return Nd4j.concat(axis, arrays);
        });
    }

    /** An operation on two parts, element by element; null if their shapes do not fit. */
    static @Nullable WeightPart combined(WeightPart left, WeightPart right, BinaryOperator<INDArray> operation) {
        int rank = Math.max(left.shape.length, right.shape.length);
        long[] shape = new long[rank];
        for (int i = 0; i < rank; i++) {
            long a = at(left.shape, i - rank);
            long b = at(right.shape, i - rank);
            if (a != b && a != 1 && b != 1) {
                return null;
            }
            shape[i] = Math.max(a, b);
        }
        Set<String> sources = new LinkedHashSet<>(left.sources);
        sources.addAll(right.sources);
        return new WeightPart(
                shape,
                left.type,
                sources,
                left.rows + right.rows,
                () -> operation.apply(repeated(left, shape), repeated(right, shape)));
    }

    private static long at(long[] shape, int fromEnd) {
        int index = shape.length + fromEnd;
        return index < 0 ? 1 : shape[index];
    }

    private static INDArray repeated(WeightPart part, long[] shape) {
        long[] padded = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            padded[i] = at(part.shape, i - shape.length);
        }
        INDArray array = part.numbers.get().dup('c').reshape('c', padded);
        return Arrays.equals(padded, shape) ? array : array.broadcast(shape).dup('c');
    }

    WeightPart each(UnaryOperator<INDArray> function) {
        return changed(shape, rows, array -> function.apply(array.dup('c')));
    }

    /** A reduction over some axes. */
    WeightPart reduced(int[] axes, boolean keep, UnaryOperator<INDArray> ofMatrix) {
        List<Long> kept = new ArrayList<>();
        List<Long> front = new ArrayList<>();
        List<Long> back = new ArrayList<>();
        for (int axis = 0; axis < shape.length; axis++) {
            int current = axis;
            boolean gone = Arrays.stream(axes).anyMatch(each -> each == current);
            (gone ? back : front).add((long) axis);
            if (!gone || keep) {
                kept.add(gone ? 1L : shape[axis]);
            }
        }
        long[] order = java.util.stream.Stream.concat(front.stream(), back.stream())
                .mapToLong(Long::longValue)
                .toArray();
        long rows = front.stream().mapToLong(axis -> shape[axis.intValue()]).reduce(1, (a, b) -> a * b);
        long columns = HostTensor.length(shape) / Math.max(1, rows);
        long[] result = kept.stream().mapToLong(Long::longValue).toArray();
        return changed(
                result,
                this.rows,
                array -> ofMatrix.apply(array.permute(ints(order)).dup('c').reshape('c', rows, columns))
                        .reshape('c', result));
    }

    /** Axes counted from the front. */
    int[] axes(OnnxNode node, long[] given) {
        return Axes.normalise(node, given, shape.length);
    }
}
