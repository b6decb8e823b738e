package dev.samediff.importer;

import dev.samediff.importer.tensor.HostTensor;
import org.nd4j.linalg.api.buffer.DataType;

class MatMulOperatorsTest extends OperatorCases {
    @Override
    void define() {
        HostTensor matrix = HostTensor.of(DataType.FLOAT, new long[] {3, 2}, new double[] {1, -2, 3, 4, 0.5, 6});
        smooth("2x2", 14, "MatMul", reals(4, 3), reals(3, 2));
        smooth("stored", 14, "MatMul", reals(4, 3), matrix);
        smooth("3x2", 14, "MatMul", reals(2, 4, 3), matrix);
        smooth("4x2", 14, "MatMul", reals(2, 2, 4, 3), reals(3, 2));
        smooth("2x3", 14, "MatMul", reals(4, 3), reals(2, 3, 2));
        smooth("3x3", 14, "MatMul", reals(2, 4, 3), reals(2, 3, 2));
        smooth("4x4", 14, "MatMul", reals(2, 3, 4, 3), reals(2, 3, 3, 2));
        smooth("5x5", 14, "MatMul", reals(2, 1, 3, 4, 3), reals(2, 1, 3, 3, 2));
        smooth("stored left", 14, "MatMul", matrix, reals(2, 4));
        smooth("stored left, 4 axes", 14, "MatMul", matrix, reals(2, 2, 2, 4));
        smooth("stored left batch", 14, "MatMul", matrix, reals(3, 2, 4));
        smooth("vector right", 14, "MatMul", reals(2, 4, 3), reals(3));
        smooth("vector left", 14, "MatMul", reals(3), reals(2, 3, 4));
        smooth("vectors", 14, "MatMul", reals(3), reals(3));
        smooth("", 14, "Gemm", reals(4, 3), matrix);
        smooth("bias", 14, "Gemm", reals(4, 3), matrix, reals(2));
        smooth(
                "flags",
                14,
                "Gemm",
                reals(3, 4),
                reals(2, 3),
                reals(1, 2),
                "transA",
                1,
                "transB",
                1,
                "alpha",
                0.5f,
                "beta",
                2f);
        smooth("alpha", 14, "Gemm", reals(4, 3), matrix, "alpha", 0.5f);
    }
}
