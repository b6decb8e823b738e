package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;

/** How one TensorFlow operator is said in ONNX. */
interface TensorFlowOp {
    /**
     * Emits the ONNX nodes of one TensorFlow node and says which values its outputs are.
     *
     * @throws InvalidInputException if this use of the operator cannot be imported
     */
    void translate(TensorFlowCall call);
}
