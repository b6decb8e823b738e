package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTypes;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Whole numbers of 8 and 16 bits, and unsigned ones of 32, which the graph holds in a wider type: what leaves their range is
 * cut to their width, as the file's own type does it.
 */
final class Wrapping {
    /** Operators whose results may leave the range of their operands. */
    private static final Set<String> OPERATORS = Set.of(
            "Add",
            "Sub",
            "Mul",
            "Div",
            "Neg",
            "Abs",
            "Pow",
            "Sum",
            "Mean",
            "ReduceSum",
            "ReduceProd",
            "ReduceL1",
            "ReduceSumSquare",
            "CumSum",
            "MatMul",
            "Gemm",
            "Einsum",
            "Range",
            "ScatterElements",
            "ScatterND");

    private Wrapping() {}

    /** Returns a result of an operator, cut to its type if it may be beyond it. */
    static Value wrapped(GraphBuilder builder, String operator, Value result) {
        boolean computed = result.content() == null && result.stored() == null;
        if (!computed || !OnnxTypes.isNarrow(result.type()) || !OPERATORS.contains(operator)) {
            return result;
        }
        return Value.computed(cut(builder, result.variable(), result.type()), result.type(), result.dims());
    }

    /**
     * Cuts numbers to a type.
     *
     * @param x whole numbers in the type that holds the narrow one
     * @param narrow the type
     */
    static SDVariable cut(GraphBuilder builder, SDVariable x, DataType narrow) {
        return builder.once(x, "cut " + narrow, () -> x.castTo(narrow).castTo(OnnxTypes.held(narrow)));
    }
}
