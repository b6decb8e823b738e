package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What patterns and forms may ask of the program they look at. */
interface Site {
    /** Returns the node that defines a tensor; null for leaves and literals. */
    @Nullable
    Node producer(Tensor tensor);

    /** Tells whether a tensor is read once, and is no output. */
    boolean isReadOnce(Tensor tensor);

    /** Returns the value of a literal, seen through reshapes, which keep the order of the elements; null for anything else. */
    @Nullable
    INDArray literal(Tensor tensor);

    /** Tells whether a gradient is wanted by something that a floating point tensor depends on. */
    boolean isTrained(Tensor tensor);

    /** Returns a tensor as an element-wise function of another one, which may be itself. */
    ScalarFunctions.Function function(Tensor tensor);

    /** Returns what a tensor of the old program has become in the new one. */
    Tensor get(Tensor old);

    /** Returns the new program. */
    ProgramBuilder builder();
}
