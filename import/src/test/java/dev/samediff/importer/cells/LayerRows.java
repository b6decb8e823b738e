package dev.samediff.importer.cells;

import static dev.samediff.importer.cells.Cell.stored;
import static dev.samediff.importer.cells.Samples.general;
import static dev.samediff.importer.cells.Samples.large;
import static dev.samediff.importer.cells.Samples.other;
import static dev.samediff.importer.cells.Samples.positive;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto.DataType;

/** Products of matrices, convolutions, pooling and normalisations. */
final class LayerRows {
    private static final int OPSET = 18;

    private LayerRows() {}

    static void register(Map<String, Row> rows) {
        rows.put("MatMul", LayerRows::products);
        rows.put("Gemm", LayerRows::gemm);
        rows.put("Einsum", LayerRows::sums);
        rows.put("Conv", type -> List.of(
                cell("Conv", type, "general", general(type, 1, 2, 4, 4), stored(other(type, 3, 2, 2, 2))),
                cell("Conv", type, "one axis", general(type, 1, 2, 5), stored(other(type, 3, 2, 2)), stored(other(type, 3))),
                cell("Conv", type, "groups", general(type, 1, 2, 5), stored(other(type, 2, 1, 2)), "group", 2)));
        long[] two = {2, 2};
        rows.put("AveragePool", type ->
                List.of(cell("AveragePool", type, "general", general(type, 1, 2, 4, 5), "kernel_shape", two)));
        rows.put("MaxPool", type -> List.of(
                cell("MaxPool", type, "general", general(type, 1, 2, 4, 5), "kernel_shape", two),
                cell("MaxPool", type, "ties", Samples.ties(type, 1, 1, 4, 4), "kernel_shape", two, "strides", two)));
        for (String operator : List.of("GlobalAveragePool", "GlobalMaxPool")) {
            rows.put(operator, type -> List.of(
                    cell(operator, type, "general", general(type, 2, 3, 2, 2)),
                    cell(operator, type, "one element", general(type, 1, 1, 1, 1))));
        }
        rows.put("BatchNormalization", type -> List.of(cell(
                "BatchNormalization",
                type,
                "general",
                general(type, 2, 3, 2),
                stored(other(type, 3)),
                stored(general(type, 3)),
                stored(other(type, 3)),
                stored(positive(type, 3)))));
        rows.put("InstanceNormalization", type -> List.of(cell(
                "InstanceNormalization",
                type,
                "general",
                general(type, 2, 3, 4),
                stored(other(type, 3)),
                stored(general(type, 3)))));
        rows.put("GroupNormalization", type -> List.of(Cell.of(
                "GroupNormalization",
                type,
                "general",
                21,
                1,
                general(type, 2, 4, 3),
                stored(other(type, 4)),
                stored(general(type, 4)),
                "num_groups",
                2)));
        rows.put("LayerNormalization", type -> List.of(
                cell(
                        "LayerNormalization",
                        type,
                        "general",
                        general(type, 2, 3),
                        stored(other(type, 3)),
                        stored(general(type, 3))),
                cell("LayerNormalization", type, "row", general(type, 1, 3), stored(other(type, 3))),
                cell("LayerNormalization", type, "one element", general(type, 1, 1), stored(other(type, 1)))));
        rows.put("SimplifiedLayerNormalization", type -> List.of(cell(
                "SimplifiedLayerNormalization", type, "general", general(type, 2, 3), stored(other(type, 3)))));
        rows.put("RMSNormalization", type -> List.of(
                Cell.of("RMSNormalization", type, "general", 23, 1, general(type, 2, 3), stored(other(type, 3))),
                Cell.of("RMSNormalization", type, "row", 23, 1, general(type, 1, 3), stored(other(type, 3)))));
        rows.put("LpNormalization", type -> List.of(
                cell("LpNormalization", type, "general", general(type, 2, 3)),
                cell("LpNormalization", type, "sum, first axis", general(type, 2, 3), "axis", 0, "p", 1)));
        rows.put("MeanVarianceNormalization", type ->
                List.of(cell("MeanVarianceNormalization", type, "general", general(type, 2, 3, 2, 2))));
    }

    private static Cell cell(String operator, DataType type, String situation, Object... arguments) {
        return Cell.of(operator, type, situation, OPSET, 1, arguments);
    }

    private static List<Cell> products(DataType type) {
        List<Cell> cells = new ArrayList<>();
        cells.add(cell("MatMul", type, "matrices", general(type, 2, 3), other(type, 3, 4)));
        cells.add(cell("MatMul", type, "batch", general(type, 2, 2, 3), other(type, 2, 3, 2)));
        cells.add(cell("MatMul", type, "batch by matrix", general(type, 2, 2, 3), other(type, 3, 2)));
        cells.add(cell("MatMul", type, "broadcast", general(type, 2, 1, 2, 3), other(type, 2, 3, 2)));
        cells.add(cell("MatMul", type, "vectors", general(type, 3), other(type, 3)));
        cells.add(cell("MatMul", type, "matrix by vector", general(type, 2, 3), other(type, 3)));
        cells.add(cell("MatMul", type, "vector by matrix", general(type, 3), other(type, 3, 2)));
        cells.add(cell("MatMul", type, "one element", general(type, 1, 1), other(type, 1, 1)));
        cells.add(cell("MatMul", type, "row by column", general(type, 1, 3), other(type, 3, 1)));
        cells.add(cell("MatMul", type, "large", large(type, 2, 3), other(type, 3, 2)));
        cells.add(cell("MatMul", type, "empty", general(type, 0, 3), other(type, 3, 2)));
        cells.add(cell("MatMul", type, "stored", general(type, 2, 3), stored(other(type, 3, 4))));
        return cells;
    }

    private static List<Cell> gemm(DataType type) {
        List<Cell> cells = new ArrayList<>();
        cells.add(cell("Gemm", type, "general", general(type, 2, 3), other(type, 3, 4), general(type, 4)));
        cells.add(cell(
                "Gemm",
                type,
                "transposed",
                general(type, 3, 2),
                other(type, 4, 3),
                general(type, 2, 1),
                "transA",
                1,
                "transB",
                1));
        cells.add(cell(
                "Gemm",
                type,
                "factors",
                general(type, 2, 3),
                other(type, 3, 4),
                general(type, 4),
                "alpha",
                2f,
                "beta",
                3f));
        cells.add(cell("Gemm", type, "no sum", general(type, 2, 3), other(type, 3, 4)));
        cells.add(cell("Gemm", type, "one element", general(type, 1, 1), other(type, 1, 1), general(type)));
        return cells;
    }

    private static List<Cell> sums(DataType type) {
        List<Cell> cells = new ArrayList<>();
        String[] equations = {"ij,jk->ik", "ij,jk", "bij,bjk->bik", "ij->ji", "ij->", "ij->i", "i,i->", "ij,ij->ij", "i,j->ij"};
        for (String equation : equations) {
            String[] inputs = equation.split("->", -1)[0].split(",");
            Object[] arguments = new Object[inputs.length + 2];
            for (int i = 0; i < inputs.length; i++) {
                long[] shape = inputs[i].chars().mapToLong(letter -> letter == 'b' || letter == 'k' ? 2 : 3).toArray();
                arguments[i] = i == 0 ? general(type, shape) : other(type, shape);
            }
            arguments[inputs.length] = "equation";
            arguments[inputs.length + 1] = equation;
            cells.add(cell("Einsum", type, equation, arguments));
        }
        return cells;
    }
}
