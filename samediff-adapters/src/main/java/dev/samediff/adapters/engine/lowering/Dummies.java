package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.memory.BlankArrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Arrays that stand for tensors where only their shape matters. */
final class Dummies {
    private Dummies() {}

    /** Returns a known value itself, and an array of the shape of any other: filled with a number, or never touched if it is float. */
    static INDArray of(Value value, int content) {
        INDArray known = value.known();
        if (known != null) {
            return known;
        }
        if (value.type().isFPType()) {
            return BlankArrays.shared(value.type(), value.shape());
        }
        INDArray array = Nd4j.createUninitialized(value.type(), value.shape());
        return array.assign(value.type() == DataType.BOOL ? Math.min(content, 1) : content);
    }
}
