package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.engine.program.Tensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a variable of the graph is: an array known now, or a tensor of the program.
 *
 * @param known the array, if it is known
 * @param tensor the tensor, if it is not
 */
record Value(@Nullable INDArray known, @Nullable Tensor tensor) {
    static Value of(INDArray known) {
        return new Value(known, null);
    }

    static Value of(Tensor tensor) {
        return new Value(null, tensor);
    }

    boolean isKnown() {
        return known != null;
    }

    DataType type() {
        return known != null ? known.dataType() : present().type();
    }

    long[] shape() {
        return known != null ? known.shape() : present().shape();
    }

    /** Returns the tensor of a value that is not known. */
    Tensor present() {
        if (tensor == null) {
            throw new IllegalStateException("this value is known, it has no tensor");
        }
        return tensor;
    }
}
