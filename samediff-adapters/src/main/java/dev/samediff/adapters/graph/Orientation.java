package dev.samediff.adapters.graph;

import org.nd4j.linalg.api.ndarray.INDArray;

/** How a linear layer's weight is stored. */
public enum Orientation {
    /** {@code W [in,out]}, used as {@code x W}: ONNX MatMul, Conv1D of GPT-2. */
    IN_OUT,
    /** {@code W [out,in]}, used as {@code x W^T}: PyTorch Linear, ONNX Gemm with transB = 1. */
    OUT_IN;

    /** Returns {@code stored} as a view [in,out], or [experts,in,out] of a stack; nothing is copied. */
    public INDArray asInOut(INDArray stored) {
        return this == IN_OUT ? stored : turned(stored);
    }

    /** Returns {@code weight [in,out]} as a view in the stored orientation; nothing is copied. */
    public INDArray asStored(INDArray weight) {
        return this == IN_OUT ? weight : turned(weight);
    }

    private static INDArray turned(INDArray weight) {
        return weight.rank() == 3 ? weight.permute(0, 2, 1) : weight.transpose();
    }
}
