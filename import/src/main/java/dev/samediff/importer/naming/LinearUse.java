package dev.samediff.importer.naming;

import dev.samediff.importer.onnx.OnnxNode;
import org.jspecify.annotations.Nullable;

/**
 * A node that multiplies activations by a stored matrix.
 *
 * @param node the MatMul, Gemm or Conv
 * @param weight name of the stored tensor
 * @param transposed whether the matrix is stored [out,in]
 * @param bias name of the stored bias that is added to the result, if there is one
 */
public record LinearUse(
        OnnxNode node,
        String weight,
        boolean transposed,
        @Nullable String bias) {}
