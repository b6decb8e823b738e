package dev.samediff.importer.cells;

import java.util.List;
import onnx.Onnx.TensorProto;

/** The cells of an operator for a type. */
interface Row {
    /** Situations whose numbers the importer only meets when the graph runs: it holds no infinite constants. */
    String SPECIAL = "not finite";

    /** Returns the cells; none if the operator makes no sense for the type. */
    List<Cell> cells(TensorProto.DataType type);
}
