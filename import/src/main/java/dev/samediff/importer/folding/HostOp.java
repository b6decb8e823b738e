package dev.samediff.importer.folding;

import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.HostTensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Evaluates one ONNX operator on tensors that are known while importing. */
@FunctionalInterface
interface HostOp {
    /**
     * Returns the outputs, or null if they cannot be told (a comparison of sizes that are not known yet, for example).
     *
     * @param node the node, for its attributes
     * @param inputs its inputs; null where an optional input is absent
     * @param opset version of the operator set
     */
    @Nullable
    List<HostTensor> apply(OnnxNode node, List<@Nullable HostTensor> inputs, int opset);
}
