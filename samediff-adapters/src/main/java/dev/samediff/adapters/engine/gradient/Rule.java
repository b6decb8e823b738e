package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Tensor;

/** How one kind of operation is differentiated. */
@FunctionalInterface
interface Rule {
    /**
     * Adds to the gradients of the inputs that are wanted.
     *
     * @param node the operation
     * @param gradient the gradient of its first output
     * @param backward takes the gradients of inputs
     */
    void apply(Node node, Tensor gradient, Backward backward);
}
