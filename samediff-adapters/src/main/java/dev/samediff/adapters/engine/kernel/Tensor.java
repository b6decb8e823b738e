package dev.samediff.adapters.engine.kernel;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;

/** A tensor as the kernels see it: an operand, a view of one, or working memory. */
record Tensor(DataType type, Layout layout, Place place) {
    Tensor with(Layout other) {
        return new Tensor(type, other, place);
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
