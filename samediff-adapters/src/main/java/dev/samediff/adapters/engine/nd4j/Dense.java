package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.memory.NativeBits;
import java.lang.ref.Reference;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Row-major arrays without holes, whose memory can be handed to kernels. */
public final class Dense {
    private Dense() {}

    /** Returns an array itself if it is dense, otherwise a dense copy. */
    public static INDArray of(INDArray array) {
        return is(array) ? array : array.dup('c');
    }

    /** Tells whether the elements lie in row-major order without holes. */
    public static boolean is(INDArray array) {
        return array.rank() == 0
                || array.length() <= 1
                || (array.ordering() == 'c' && Arrays.equals(array.stride(), Nd4j.getStrides(array.shape(), 'c')));
    }

    /** Tells whether two arrays have the same type, shape and bits, of which the first is dense. */
    public static boolean equal(INDArray dense, INDArray other) {
        if (dense.dataType() != other.dataType() || !Arrays.equals(dense.shape(), other.shape())) {
            return false;
        }
        if (dense.isEmpty()) {
            return true;
        }
        INDArray same = of(other); // a copy of what has holes
        try {
            return NativeBits.equal(
                    Addresses.of(dense),
                    Addresses.of(same),
                    dense.length() * dense.dataType().width());
        } finally {
            Reference.reachabilityFence(same);
        }
    }
}
