package dev.samediff.importer.cells;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import onnx.Onnx.TensorProto.DataType;

/** The rows of the table: operators, and those that have none with the reason. */
public final class OperatorCells {
    /** The columns of the table. */
    public static final List<DataType> TYPES = List.of(
            DataType.FLOAT,
            DataType.DOUBLE,
            DataType.FLOAT16,
            DataType.BFLOAT16,
            DataType.INT64,
            DataType.INT32,
            DataType.INT16,
            DataType.INT8,
            DataType.UINT8,
            DataType.UINT16,
            DataType.UINT32,
            DataType.BOOL);

    private static final String FUSED =
            "a whole layer of floating-point numbers, compared in FusedOperatorsTest, FusedOptionsTest and FusedAttentionOperatorsTest";
    private static final String NEWER = "ONNX Runtime 1.22 does not load its operator set; compared with the same formula";

    private OperatorCells() {}

    static Map<String, Row> rows() {
        Map<String, Row> rows = new TreeMap<>();
        ElementRows.register(rows);
        FunctionRows.register(rows);
        ReductionRows.register(rows);
        MovementRows.register(rows);
        PlaceRows.register(rows);
        LayerRows.register(rows);
        return rows;
    }

    /** Operators without a row, and why. */
    static Map<String, String> exempt() {
        Map<String, String> reasons = new TreeMap<>();
        for (String fused : List.of(
                "Attention",
                "BiasGelu",
                "EmbedLayerNormalization",
                "FusedGemm",
                "FusedMatMul",
                "GemmFastGelu",
                "GroupQueryAttention",
                "MultiHeadAttention",
                "RotaryEmbedding",
                "SkipLayerNormalization",
                "SkipSimplifiedLayerNormalization")) {
            reasons.put("com.microsoft:" + fused, FUSED);
        }
        reasons.put("Attention", NEWER + " in ScaledAttentionTest");
        reasons.put("RotaryEmbedding", NEWER + " in ScaledAttentionTest");
        return reasons;
    }
}
