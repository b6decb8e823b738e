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
record Tensor(DataType type, Layout layout, Place place, PackedMatrices.@Nullable Matrix packed) {
    Tensor(DataType type, Layout layout, Place place) {
        this(type, layout, place, null);
    }

    static Tensor of(Operand operand) {
        return of(operand, null);
    }

    static Tensor of(Operand operand, PackedMatrices.@Nullable Matrix packed) {
        return new Tensor(operand.type(), new Layout(operand.shape(), operand.strides()), operand::address, packed);
    }

    Tensor with(Layout other) {
        return new Tensor(type, other, place, packed);
    }

    Tensor at(Place other) {
        return new Tensor(type, layout, other);
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
