package dev.samediff.importer;

import dev.samediff.adapters.graph.Orientation;
import java.util.Optional;

/**
 * A linear layer of an imported graph, or one for each of several experts in one tensor.
 *
 * @param module module path, as PyTorch and PEFT know it where it could be recovered
 * @param weight the weight's variable
 * @param orientation how the weight is stored, in the graph as in the file
 * @param experts number of experts, each with a matrix [in,out] of its own; 1 of a linear layer
 * @param in number of inputs
 * @param out number of outputs
 * @param initializer the weight's name in the file: an initializer or the output of a Constant node
 * @param node name of the MatMul or Gemm node in the file, the first if several share the weight
 * @param bias the bias's variable, if there is one
 */
public record LinearLayer(
        String module,
        String weight,
        Orientation orientation,
        int experts,
        int in,
        int out,
        String initializer,
        String node,
        Optional<String> bias) {
    /** Returns the number of weights. */
    public long weights() {
        return (long) experts * in * out;
    }
}
