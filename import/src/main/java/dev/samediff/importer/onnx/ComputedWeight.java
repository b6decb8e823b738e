package dev.samediff.importer.onnx;

import onnx.Onnx.TensorProto;

/**
 * A weight that the file does not store but computes from what it stores. Other numbers for it are written as a tensor of
 * their own that is read instead.
 *
 * @param value name of the value in the file; of a packed weight, of the packed tensor
 * @param template its shape [dims] and element type
 * @param packed whether it is the operand of MatMulNBits, which cannot read real numbers
 */
public record ComputedWeight(String value, TensorProto template, boolean packed) {}
