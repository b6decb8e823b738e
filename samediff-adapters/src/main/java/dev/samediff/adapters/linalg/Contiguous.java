package dev.samediff.adapters.linalg;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Arrays whose buffers hold just their elements, in row-major or column-major order, as BLAS and LAPACK read them. */
final class Contiguous {
    private Contiguous() {}

    /** Returns the array itself if its buffer is that already, otherwise a copy. */
    static INDArray of(INDArray a) {
        char order = order(a);
        boolean already = a.offset() == 0
                && a.data().length() == a.length()
                && Arrays.equals(a.stride(), Nd4j.getStrides(a.shape(), order));
        return already ? a : a.dup(order);
    }

    /** Returns a copy, in the array's own order. */
    static INDArray copy(INDArray a) {
        return a.dup(order(a));
    }

    /** Returns {@code 'f'} or {@code 'c'}. */
    static char order(INDArray a) {
        return a.ordering() == 'f' ? 'f' : 'c';
    }

    /** Whether LAPACK, which reads columns, sees the transpose. */
    static boolean isRowMajor(INDArray a) {
        return order(a) == 'c';
    }
}
