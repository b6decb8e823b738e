package dev.samediff.importer;

/**
 * Where a weight variable of an imported graph came from, so that a changed weight can be written back.
 *
 * @param tensor name of the initializer in the ONNX file, or of the output of the Constant node
 * @param transposed whether the variable is the transpose of that tensor, because a Transpose node between the tensor
 *     and the matrix product was folded away
 */
public record WeightOrigin(String tensor, boolean transposed) {}
