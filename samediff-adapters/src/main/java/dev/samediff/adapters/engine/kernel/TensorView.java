package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Operand;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A tensor as the kernels see it: an operand, a view of one, or working memory.
 *
 * @param packed where copies of it may be kept that are faster to multiply by; null if it may change at any time
 */
record TensorView(DataType type, Layout layout, Place place, PackedMatrices.@Nullable Matrix packed) {
    TensorView(DataType type, Layout layout, Place place) {
        this(type, layout, place, null);
    }

    static TensorView of(Operand operand) {
        return of(operand, null);
    }

    static TensorView of(Operand operand, PackedMatrices.@Nullable Matrix packed) {
        return new TensorView(operand.type(), new Layout(operand.shape(), operand.strides()), operand::address, packed);
    }

    TensorView with(Layout other) {
        return new TensorView(type, other, place, packed);
    }

    TensorView at(Place other) {
        return new TensorView(type, layout, other);
    }

    long[] shape() {
        return layout.shape();
    }

    int rank() {
        return layout.rank();
    }

    boolean isDense() {
        return layout.isDense();
    }

    long byteSize() {
        return layout.length() * Tensors.bytes(type);
    }

    @Override
    public String toString() {
        return type + Arrays.toString(layout.shape());
    }
}
