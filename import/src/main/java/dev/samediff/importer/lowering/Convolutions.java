package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * Convolutions as matrix products: every position of the result is a row of the patch it sees times the weight
 * [out, in * kernel], so that patch embeddings and pointwise convolutions are linear layers like others. Depthwise
 * convolutions are sums of shifted slices.
 *
 * <p>SameDiff's own convolutions are not used: they know two axes only, and an adapter could not be put beside them.
 */
final class Convolutions {
    private final NodeCall call;
    private final Windows windows;
    private final Value x;
    private final Value weight;
    private final int group;

    private Convolutions(NodeCall call) {
        this.call = call;
        this.weight = call.in(1);
        long[] kernel = kernel(call, weight);
        Value input = call.in(0);
        Windows given = Windows.of(call, input, kernel);
        this.x = given.padded(call, input, 0);
        this.windows = given.withoutPads();
        this.group = Math.toIntExact(call.node().integer("group", 1));
        if (group < 1 || x.rank() != kernel.length + 2) {
            throw call.invalid("convolves a tensor of rank " + x.rank() + " with a kernel of " + kernel.length
                    + " axes in " + group + " groups");
        }
    }

    static void register(Map<String, OpLowering> operators) {
        operators.put("Conv", call -> List.of(new Convolutions(call).lower()));
    }

    /** Sizes of the kernel: of the weight as it is in the file, even if it was flattened to a matrix. */
    private static long[] kernel(NodeCall call, Value weight) {
        if (weight.stored() != null) {
            long[] shape = weight.stored().tensor().shape();
            return Arrays.copyOfRange(shape, 2, shape.length);
        }
        long[] kernel = new long[weight.rank() - 2];
        for (int i = 0; i < kernel.length; i++) {
            if (!weight.dim(i + 2).isKnown()) {
                throw call.refused(
                        "has a kernel whose size is not known before the graph runs",
                        "export with the size of the kernel fixed");
            }
            kernel[i] = weight.dim(i + 2).known();
        }
        return kernel;
    }

    private Value lower() {
        Value result;
        if (group == 1) {
            result = whole(x, flat(weight));
        } else if (perGroup() == 1) {
            result = depthwise();
        } else {
            result = grouped();
        }
        Value bias = call.optional(2).orElse(null);
        if (bias == null) {
            return result;
        }
        List<Dim> dims = new ArrayList<>(List.of(bias.dim(0)));
        IntStream.range(2, x.rank()).forEach(axis -> dims.add(Dim.ONE));
        return call.emit("Add", result, call.builder().reshape(bias, dims));
    }

    /** Number of input channels that each group sees. */
    private long perGroup() {
        if (weight.rank() < 3 || !weight.dim(1).isKnown() || !weight.dim(0).isKnown()) {
            throw call.refused(
                    "has a weight of unknown size " + weight + " and several groups",
                    "export with the size of the weight fixed");
        }
        return weight.dim(1).known();
    }

    /** The weight as [out, in * kernel]. */
    private Value flat(Value w) {
        if (w.rank() == 2) {
            return w;
        }
        Dim rest = w.dims().subList(1, w.rank()).stream().reduce(Dim.ONE, Dim::times);
        return call.builder().reshape(w, List.of(w.dim(0), rest));
    }

    /** All channels of {@code input} with all of the weight's: one product. */
    private Value whole(Value input, Value w) {
        Value patches = windows.isTiling(input) ? tiles(input) : slices(input);
        List<Dim> places = patches.dims().subList(0, patches.rank() - 1);
        Value rows = call.builder().matrix(patches);
        SDVariable product = MatMuls.times(call, rows, w, true);
        List<Dim> dims = new ArrayList<>(places);
        dims.add(w.dim(0));
        Value result =
                call.builder().reshape(Value.computed(product, input.type(), List.of(rows.dim(0), w.dim(0))), dims);
        return Shapes.permuted(call, result, channelsFirst(dims.size()));
    }

    private static int[] channelsFirst(int rank) {
        return IntStream.range(0, rank)
                .map(axis -> axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1)
                .toArray();
    }

    /** Patches that do not overlap: [N, places..., C * kernel] by reshaping. */
    private Value tiles(Value input) {
        int spatial = windows.rank();
        List<Dim> split = new ArrayList<>(List.of(input.dim(0), input.dim(1)));
        int[] order = new int[2 + 2 * spatial];
        order[1 + spatial] = 1;
        for (int i = 0; i < spatial; i++) {
            Dim size = Dim.of(windows.kernel()[i]);
            split.add(input.dim(2 + i).dividedBy(size).orElseThrow());
            split.add(size);
            order[1 + i] = 2 + 2 * i;
            order[2 + spatial + i] = 3 + 2 * i;
        }
        Value cut = Shapes.permuted(call, call.builder().reshape(input, split), order);
        return joined(cut, 1 + spatial);
    }

    /** Patches that may overlap: one strided slice per place of the kernel, side by side. */
    private Value slices(Value input) {
        int spatial = windows.rank();
        List<Value> parts = new ArrayList<>();
        for (long[] offset : windows.offsets(call)) {
            parts.add(call.emit("Unsqueeze", windows.slice(call, input, offset), call.vector(input.rank())));
        }
        Value stacked = parts.size() == 1
                ? parts.get(0)
                : call.emit("Concat", Map.of("axis", input.rank()), parts.toArray(new @Nullable Value[0]));
        int[] order = new int[3 + spatial];
        order[1 + spatial] = 1;
        order[2 + spatial] = 2 + spatial;
        for (int i = 0; i < spatial; i++) {
            order[1 + i] = 2 + i;
        }
        return joined(Shapes.permuted(call, stacked, order), 1 + spatial);
    }

    /** All axes from the given one on as one. */
    private Value joined(Value value, int from) {
        List<Dim> dims = new ArrayList<>(value.dims().subList(0, from));
        dims.add(value.dims().subList(from, value.rank()).stream().reduce(Dim.ONE, Dim::times));
        return call.builder().reshape(value, dims);
    }

    /** Every channel with its own kernels: the sum over the kernel of slices times one number per channel. */
    private Value depthwise() {
        long out = weight.dim(0).known();
        if (out % group != 0) {
            throw call.invalid("has " + out + " outputs in " + group + " groups");
        }
        long each = out / group;
        Value input = each == 1 ? x : repeated(each);
        Value flat = flat(weight);
        List<long[]> offsets = windows.offsets(call);
        Value sum = null;
        for (int k = 0; k < offsets.size(); k++) {
            Slicing.Cut column = new Slicing.Cut(1, Dim.of(k), Dim.of(k + 1), 1);
            List<Dim> dims = new ArrayList<>(List.of(Dim.of(out)));
            IntStream.range(0, windows.rank()).forEach(axis -> dims.add(Dim.ONE));
            Value factor = call.builder().reshape(Slicing.slice(call, flat, List.of(column)), dims);
            Value part = call.emit("Mul", windows.slice(call, input, offsets.get(k)), factor);
            sum = sum == null ? part : call.emit("Add", sum, part);
        }
        return Objects.requireNonNull(sum);
    }

    /** Every channel {@code times} times in a row. */
    private Value repeated(long times) {
        List<Dim> apart = new ArrayList<>(x.dims());
        apart.add(2, Dim.ONE);
        List<Dim> target = new ArrayList<>(apart);
        target.set(2, Dim.of(times));
        List<Dim> joined = new ArrayList<>(x.dims());
        joined.set(1, Dim.of(group * times));
        Value wide = Expanding.expand(call, call.builder().reshape(x, apart), target);
        return call.builder().reshape(wide, joined);
    }

    private Value grouped() {
        Value w = flat(weight);
        long in = perGroup();
        long out = w.dim(0).known() / group;
        List<Value> parts = new ArrayList<>();
        for (int g = 0; g < group; g++) {
            Value channels =
                    Slicing.slice(call, x, List.of(new Slicing.Cut(1, Dim.of(g * in), Dim.of((g + 1) * in), 1)));
            Value rows = Slicing.slice(call, w, List.of(new Slicing.Cut(0, Dim.of(g * out), Dim.of((g + 1) * out), 1)));
            parts.add(whole(channels, rows));
        }
        return call.emit("Concat", Map.of("axis", 1), parts.toArray(new @Nullable Value[0]));
    }
}
