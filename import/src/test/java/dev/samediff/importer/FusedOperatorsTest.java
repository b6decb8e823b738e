package dev.samediff.importer;

import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** ONNX Runtime's fused layers and rotary embedding. */
class FusedOperatorsTest extends OperatorCases {
    private static INDArray positions(int rows, int columns) {
        long[][] values = new long[rows][];
        for (int i = 0; i < rows; i++) {
            int start = i;
            values[i] = IntStream.range(0, columns).mapToLong(k -> k + start).toArray();
        }
        return Nd4j.createFromArray(values);
    }

    @Override
    void define() {
        layers();
        rotary();
    }

    private void layers() {
        smooth("", 14, "com.microsoft:FusedMatMul", reals(2, 4, 3), reals(2, 3, 2), "alpha", 0.5f);
        smooth("right", 14, "com.microsoft:FusedMatMul", reals(2, 4, 3), reals(2, 5, 3), "transB", 1);
        smooth("left", 14, "com.microsoft:FusedMatMul", reals(2, 3, 4), reals(2, 3, 5), "transA", 1);
        smooth("matrix", 14, "com.microsoft:FusedMatMul", reals(2, 4, 3), reals(5, 3), "transB", 1);
        smooth("", 14, "com.microsoft:FusedGemm", reals(2, 3), reals(3, 4), reals(4), "activation", "Relu");
        smooth("", 14, "com.microsoft:BiasGelu", reals(2, 3), reals(3));
        smooth("", 14, "com.microsoft:QuickGelu", reals(2, 3));
        smooth(
                "",
                14,
                "com.microsoft:SkipLayerNormalization",
                reals(2, 2, 4),
                reals(2, 2, 4).mul(-0.3).add(0.2),
                positive(4),
                reals(4),
                "epsilon",
                1e-2f);
        smooth(
                "bias",
                14,
                "com.microsoft:SkipLayerNormalization",
                reals(2, 2, 4),
                reals(2, 2, 4).mul(-0.3).add(0.2),
                positive(4),
                reals(4),
                reals(4).mul(2),
                "epsilon",
                1e-2f);
        smooth(
                "",
                14,
                "com.microsoft:SkipSimplifiedLayerNormalization",
                reals(2, 2, 4),
                reals(2, 2, 4).mul(-0.3).add(0.2),
                positive(4),
                "epsilon",
                1e-2f);
        smooth("", 14, "SimplifiedLayerNormalization", reals(2, 4), positive(4), "epsilon", 1e-2f);
        add(
                "",
                14,
                "com.microsoft:EmbedLayerNormalization",
                2,
                false,
                ids(new int[] {1, 0, 2}, new int[] {2, 2, 1}),
                ids(new int[] {0, 1, 1}, new int[] {0, 0, 1}),
                stored(4, 4),
                stored(5, 4),
                stored(2, 4),
                stored(4),
                stored(4));
        add(
                "without segments",
                14,
                "com.microsoft:EmbedLayerNormalization",
                2,
                false,
                ids(new int[] {1, 0, 2}),
                null,
                stored(4, 4),
                stored(5, 4),
                null,
                stored(4),
                stored(4));
    }

    private void rotary() {
        smooth(
                "3 axes",
                14,
                "com.microsoft:RotaryEmbedding",
                reals(2, 3, 8),
                positions(2, 3),
                stored(6, 2),
                stored(6, 2));
        smooth(
                "4 axes",
                14,
                "com.microsoft:RotaryEmbedding",
                reals(2, 2, 3, 4),
                positions(2, 3),
                stored(6, 2),
                stored(6, 2));
        smooth(
                "offset",
                14,
                "com.microsoft:RotaryEmbedding",
                reals(2, 3, 8),
                Nd4j.createFromArray(2L),
                stored(6, 2),
                stored(6, 2));
        smooth(
                "interleaved",
                14,
                "com.microsoft:RotaryEmbedding",
                reals(2, 3, 8),
                positions(2, 3),
                stored(6, 2),
                stored(6, 2),
                "interleaved",
                1);
        smooth(
                "partial",
                14,
                "com.microsoft:RotaryEmbedding",
                reals(2, 3, 12),
                positions(2, 3),
                stored(6, 2),
                stored(6, 2),
                "rotary_embedding_dim",
                4,
                "num_heads",
                2);
    }
}
