package dev.samediff.importer.lowering;

import java.util.List;

/** Translates one ONNX operator. */
@FunctionalInterface
interface OpLowering {
    /**
     * Emits SameDiff operators and returns the node's outputs.
     *
     * @throws dev.samediff.adapters.InvalidInputException if this use of the operator cannot be translated
     */
    List<Value> lower(NodeCall call);
}
