package dev.samediff.adapters.text.batch;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Java arrays to ND4J arrays that belong to no workspace. */
public final class BatchArrays {
    private BatchArrays() {}

    /** The rows of one feature, right-padded to {@code width}. */
    public static INDArray feature(
            SequenceFeature feature, DataType type, int[][] ids, int[] lengths, int width, int padId) {
        long[] values = new long[ids.length * width];
        for (int row = 0; row < ids.length; row++) {
            for (int position = 0; position < width; position++) {
                values[row * width + position] = feature.valueAt(ids[row], position, lengths[row], padId);
            }
        }
        INDArray array = longs(values, ids.length, width);
        return type == DataType.LONG ? array : detached(() -> array.castTo(type));
    }

    public static INDArray longs(long[] values, long... shape) {
        return detached(() -> Nd4j.createFromArray(values).reshape(shape));
    }

    static INDArray ints(int[] values, long... shape) {
        return detached(() -> Nd4j.createFromArray(values).reshape(shape));
    }

    static INDArray floats(float[] values, long... shape) {
        return detached(() -> Nd4j.createFromArray(values).reshape(shape));
    }

    private static INDArray detached(java.util.function.Supplier<INDArray> creation) {
        try (MemoryWorkspace none = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            return creation.get();
        }
    }
}
