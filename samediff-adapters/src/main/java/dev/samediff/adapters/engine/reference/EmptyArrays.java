package dev.samediff.adapters.engine.reference;

import java.util.Arrays;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Which of ND4J's ops can be given arrays without elements. An empty past of a decoder is such an array and is only looked at and
 * concatenated; most other ops end the process, or give something that means nothing.
 */
final class EmptyArrays {
    private static final Set<String> OPS = Set.of(
            "identity",
            "cast",
            "shape_of",
            "size_at",
            "size",
            "rank",
            "concat",
            "reshape",
            "permute",
            "transpose",
            "expand_dims",
            "squeeze",
            "split",
            "stack",
            "tile",
            "slice",
            "strided_slice",
            "broadcast_to",
            "add",
            "subtract",
            "multiply",
            "divide",
            "neg",
            "add_scalar",
            "mul_scalar",
            "sub_scalar",
            "div_scalar",
            "zeros_as",
            "ones_as",
            "zeroslike",
            "oneslike");

    private EmptyArrays() {}

    /** Tells whether an op can be executed with these inputs. */
    static boolean arePossible(String opName, INDArray... inputs) {
        return OPS.contains(opName) || Arrays.stream(inputs).noneMatch(INDArray::isEmpty);
    }
}
