package dev.samediff.dl4j.weight;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** How a stored weight is seen as a matrix [in,out] of {@code y = x W}; what is written to the view is written to the weight. */
public enum MatrixView {
    /** {@code W [in,out]}: dense, output, embedding and recurrent layers. */
    IN_OUT {
        @Override
        public INDArray of(INDArray stored) {
            return stored;
        }
    },
    /** {@code W [out,in,height,width]}: the kernels of a convolution, a matrix over patches. */
    KERNELS {
        @Override
        public INDArray of(INDArray stored) {
            return stored.reshape('c', true, stored.size(0), stored.length() / stored.size(0))
                    .transpose();
        }
    },
    /** {@code W [heads,head size,in]}: a projection of attention. */
    HEADS {
        @Override
        public INDArray of(INDArray stored) {
            return stored.reshape('c', true, stored.size(0) * stored.size(1), stored.size(2))
                    .transpose();
        }
    },
    /** {@code RW [out,4 out + 3]} of a Graves LSTM without the three columns of peepholes, which are no matrix. */
    WITHOUT_PEEPHOLES {
        @Override
        public INDArray of(INDArray stored) {
            return stored.get(NDArrayIndex.all(), NDArrayIndex.interval(0, stored.columns() - 3));
        }
    };

    /** Returns the matrix; nothing is copied. */
    public abstract INDArray of(INDArray stored);
}
