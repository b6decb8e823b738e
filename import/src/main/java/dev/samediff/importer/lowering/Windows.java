package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The windows that a convolution or a pooling looks through.
 *
 * @param kernel sizes of the window
 * @param strides distances of windows
 * @param dilations distances of elements in a window
 * @param pads elements added before all axes, then behind all axes
 */
record Windows(long[] kernel, long[] strides, long[] dilations, long[] pads) {
    private static final int MOST_PLACES = 4096;

    /** Reads a node's attributes; SAME padding needs known sizes or a stride of 1. */
    static Windows of(NodeCall call, Value x, long[] kernel) {
        int rank = kernel.length;
        long[] strides = given(call, "strides", rank, 1);
        long[] dilations = given(call, "dilations", rank, 1);
        long[] pads = given(call, "pads", 2 * rank, 0);
        for (int i = 0; i < rank; i++) {
            if (strides[i] < 1 || dilations[i] < 1 || kernel[i] < 1) {
                throw call.invalid("has a window, stride or dilation below 1");
            }
        }
        String auto = call.node().text("auto_pad", "NOTSET");
        if (auto.startsWith("SAME")) {
            for (int i = 0; i < rank; i++) {
                long total = samePads(call, x.dim(i + 2), kernel[i], strides[i], dilations[i]);
                boolean more = auto.equals("SAME_UPPER");
                pads[i] = more ? total / 2 : total - total / 2;
                pads[rank + i] = total - pads[i];
            }
        }
        for (int i = 0; i < rank; i++) {
            Dim size = x.dim(i + 2);
            double span = (kernel[i] - 1.0) * dilations[i] + 1;
            if (size.isKnown() && (double) size.known() + pads[i] + pads[rank + i] < span) {
                throw call.invalid("looks through windows that span " + (long) span + " elements of an axis of " + size
                        + " with pads of " + pads[i] + " and " + pads[rank + i]);
            }
        }
        return new Windows(kernel, strides, dilations, pads);
    }

    private static long samePads(NodeCall call, Dim size, long kernel, long stride, long dilation) {
        long span = (kernel - 1) * dilation + 1;
        if (stride == 1) {
            return span - 1;
        }
        if (!size.isKnown()) {
            throw call.refused(
                    "pads by auto_pad with a stride of " + stride + " an axis of unknown size " + size,
                    "export with explicit pads or a fixed size");
        }
        long places = (size.known() + stride - 1) / stride;
        return Math.max(0, (places - 1) * stride + span - size.known());
    }

    /**
     * The windows with one more place where the last does not reach the end of an axis (ceil_mode): pads are added behind
     * it, but no window begins in them.
     */
    Windows toLastPlace(NodeCall call, Value x) {
        long[] more = pads.clone();
        for (int i = 0; i < rank(); i++) {
            Dim size = x.dim(i + 2);
            if (strides[i] == 1) {
                continue;
            }
            if (!size.isKnown()) {
                throw call.refused(
                        "pools with ceil_mode = 1 over an axis of unknown size " + size,
                        "export with ceil_mode = 0 or a fixed size");
            }
            long span = (kernel[i] - 1) * dilations[i] + 1;
            long free = size.known() + pads[i] + pads[rank() + i] - span;
            long places = (free + strides[i] - 1) / strides[i] + 1;
            if ((places - 1) * strides[i] >= size.known() + pads[i]) {
                places--;
            }
            more[rank() + i] += Math.max(0, (places - 1) * strides[i] - free);
        }
        return new Windows(kernel, strides, dilations, more);
    }

    private static long[] given(NodeCall call, String name, int count, long otherwise) {
        long[] given = call.node().integers(name);
        if (given == null) {
            given = new long[count];
            Arrays.fill(given, otherwise);
        }
        if (given.length != count) {
            throw call.invalid("has " + given.length + " " + name + "; expected " + count);
        }
        return given.clone();
    }

    int rank() {
        return kernel.length;
    }

    /** The same windows on a tensor that is padded already. */
    Windows withoutPads() {
        return new Windows(kernel, strides, dilations, new long[pads.length]);
    }

    /** Returns [N,C,...] with the pads around it. */
    Value padded(NodeCall call, Value x, double fill) {
        if (Arrays.stream(pads).allMatch(pad -> pad == 0)) {
            return x;
        }
        long[] all = new long[2 * x.rank()];
        System.arraycopy(pads, 0, all, 2, rank());
        System.arraycopy(pads, rank(), all, x.rank() + 2, rank());
        return call.emit("Pad", Map.of(), x, call.vector(all), call.real(x.type(), fill));
    }

    /** Tells whether the windows lie side by side and cover every element. */
    boolean isTiling(Value x) {
        for (int i = 0; i < rank(); i++) {
            boolean fits = x.dim(i + 2).dividedBy(Dim.of(kernel[i])).isPresent();
            if (strides[i] != kernel[i] || (dilations[i] != 1 && kernel[i] != 1) || !fits) {
                return false;
            }
        }
        return true;
    }

    /** Returns the places in the window, row by row; each becomes an operation, so there may not be too many. */
    List<long[]> offsets(NodeCall call) {
        long places = 1;
        for (long size : kernel) {
            places = size > MOST_PLACES ? size : places * size;
            if (places > MOST_PLACES) {
                throw call.refused(
                        "looks through windows of " + Arrays.toString(kernel) + "; up to " + MOST_PLACES
                                + " elements in a window can be imported",
                        "export with smaller windows, one behind the other, or as a mean over the axes");
            }
        }
        List<long[]> offsets = new ArrayList<>(List.of(new long[0]));
        for (long size : kernel) {
            List<long[]> longer = new ArrayList<>();
            for (long[] start : offsets) {
                for (long at = 0; at < size; at++) {
                    long[] place = Arrays.copyOf(start, start.length + 1);
                    place[start.length] = at;
                    longer.add(place);
                }
            }
            offsets = longer;
        }
        return offsets;
    }

    /** What all windows see at one place in them: [N,C,places...]. */
    Value slice(NodeCall call, Value x, long[] offset) {
        List<Slicing.Cut> cuts = new ArrayList<>();
        for (int i = 0; i < rank(); i++) {
            long start = offset[i] * dilations[i];
            long behind = (kernel[i] - 1) * dilations[i] - start;
            Dim end = x.dim(i + 2).minus(Dim.of(behind));
            cuts.add(new Slicing.Cut(i + 2, Dim.of(start), end, strides[i]));
        }
        return Slicing.slice(call, x, cuts);
    }
}
