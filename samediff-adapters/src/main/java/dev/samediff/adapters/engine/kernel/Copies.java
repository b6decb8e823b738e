package dev.samediff.adapters.engine.kernel;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.reorder;
import org.nd4j.linalg.api.buffer.DataType;

/** Copies between layouts and between float types. */
final class Copies {
    private Copies() {}

    /** Adds a copy of x, which may be repeated along axes of stride 0, to dst of the same shape. */
    static void add(Assembly assembly, TensorView x, TensorView dst) {
        Tensors.shape("copy", "x", x, dst.shape());
        Tensors.written("copy", "dst", dst);
        boolean casts = x.type() != dst.type();
        if (casts && !(isFloat(x.type()) && isFloat(dst.type()))) {
            throw new IllegalArgumentException(
                    "copy: " + x + " cannot become " + dst + "; only FLOAT and BFLOAT16 are converted into each other");
        }
        List<Layout> layouts = Layout.ordered(List.of(dst.layout(), x.layout()));
        TensorView to = words(dst.with(layouts.get(0)));
        TensorView from = words(x.with(layouts.get(1)));
        var description = new reorder.primitive_desc(
                Dnnl.ENGINE, Dnnl.desc(from), Dnnl.ENGINE, Dnnl.desc(to), Dnnl.attributes(), false);
        Primitive.of(assembly, description)
                .with(dnnl.DNNL_ARG_FROM, from)
                .with(dnnl.DNNL_ARG_TO, to)
                .add();
    }

    /** Adds filling with one value, which is a copy of a constant repeated along all axes. */
    static void fill(Assembly assembly, double value, TensorView dst) {
        DataType type = dst.type() == DataType.BFLOAT16 ? DataType.FLOAT : dst.type();
        TensorView one = assembly.constant(type, value);
        add(assembly, one.with(one.layout().padded(dst.rank()).expanded(dst.shape())), dst);
    }

    /** Returns x itself if it is row-major, else a dense copy in working memory made before the next step. */
    static TensorView densified(Assembly assembly, TensorView x) {
        return x.isDense() ? x.with(Layout.dense(x.shape())) : copied(assembly, x);
    }

    /** Returns a dense copy in working memory made before the next step. */
    static TensorView copied(Assembly assembly, TensorView x) {
        TensorView copy = assembly.temporary(x.type(), x.shape());
        add(assembly, x, copy);
        return copy;
    }

    private static boolean isFloat(DataType type) {
        return type == DataType.FLOAT || type == DataType.BFLOAT16;
    }

    /** Copies look at no numbers: a type that oneDNN does not have is copied as words of a type that it has. */
    private static TensorView words(TensorView tensor) {
        return switch (tensor.type()) {
            case FLOAT, BFLOAT16, INT, BOOL -> tensor;
            default -> {
                int bytes = Tensors.bytes(tensor.type());
                yield bytes % 4 == 0 ? words(tensor, DataType.INT, bytes / 4) : words(tensor, DataType.BOOL, bytes);
            }
        };
    }

    private static TensorView words(TensorView tensor, DataType type, int count) {
        Layout layout = tensor.layout();
        Layout wide = new Layout(
                layout.shape(),
                Arrays.stream(layout.strides()).map(stride -> count * stride).toArray());
        return new TensorView(type, count == 1 ? wide : wide.then(Layout.dense(count)), tensor.place());
    }
}
