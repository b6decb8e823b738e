package dev.samediff.importer;

import dev.samediff.importer.tensor.HostTensor;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** ONNX Runtime's fused operators. */
class FusedOperatorsTest extends OperatorCases {
    private static INDArray ids(int[]... rows) {
        return Nd4j.createFromArray(rows);
    }

    private static INDArray lengths(int... values) {
        return Nd4j.createFromArray(values);
    }

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
        attention();
        multiHead();
        rotary();
        grouped();
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

    private static HostTensor stored(long... shape) {
        INDArray values = reals(shape);
        return HostTensor.of(
                DataType.FLOAT,
                shape,
                values.castTo(DataType.DOUBLE).reshape(values.length()).toDoubleVector());
    }

    private void attention() {
        smooth("", 14, "com.microsoft:Attention", reals(2, 3, 4), stored(4, 12), stored(12), "num_heads", 2);
        smooth(
                "causal",
                14,
                "com.microsoft:Attention",
                reals(2, 3, 4),
                stored(4, 12),
                stored(12),
                "num_heads",
                2,
                "unidirectional",
                1);
        smooth(
                "keys",
                14,
                "com.microsoft:Attention",
                reals(2, 3, 4),
                stored(4, 12),
                stored(12),
                ids(new int[] {1, 1, 0}, new int[] {1, 1, 1}),
                "num_heads",
                2);
        smooth(
                "lengths",
                14,
                "com.microsoft:Attention",
                reals(2, 3, 4),
                stored(4, 12),
                stored(12),
                lengths(2, 3),
                "num_heads",
                2);
        smooth(
                "scale",
                14,
                "com.microsoft:Attention",
                reals(2, 3, 4),
                stored(4, 12),
                stored(12),
                "num_heads",
                2,
                "scale",
                0.3f);
        smooth(
                "other sizes",
                14,
                "com.microsoft:Attention",
                reals(2, 3, 4),
                stored(4, 10),
                stored(10),
                "num_heads",
                2,
                "qkv_hidden_sizes",
                new long[] {4, 4, 2});
        add(
                "past",
                14,
                "com.microsoft:Attention",
                2,
                true,
                reals(2, 3, 4),
                stored(4, 12),
                stored(12),
                null,
                reals(2, 2, 2, 5, 2),
                "num_heads",
                2,
                "unidirectional",
                1);
    }

    private void multiHead() {
        smooth(
                "",
                14,
                "com.microsoft:MultiHeadAttention",
                reals(2, 3, 4),
                reals(2, 5, 4).mul(0.5),
                reals(2, 5, 6),
                "num_heads",
                2);
        smooth(
                "bias",
                14,
                "com.microsoft:MultiHeadAttention",
                reals(2, 3, 4),
                reals(2, 5, 4).mul(0.5),
                reals(2, 5, 4),
                stored(12),
                "num_heads",
                2);
        smooth(
                "keys",
                14,
                "com.microsoft:MultiHeadAttention",
                reals(2, 3, 4),
                reals(2, 3, 4).mul(0.5),
                reals(2, 3, 4),
                null,
                ids(new int[] {1, 1, 0}, new int[] {1, 1, 1}),
                "num_heads",
                2);
        smooth(
                "causal",
                14,
                "com.microsoft:MultiHeadAttention",
                reals(2, 3, 4),
                reals(2, 3, 4).mul(0.5),
                reals(2, 3, 4),
                "num_heads",
                2,
                "unidirectional",
                1);
        smooth(
                "scores",
                14,
                "com.microsoft:MultiHeadAttention",
                reals(2, 3, 4),
                reals(2, 5, 4).mul(0.5),
                reals(2, 5, 4),
                null,
                null,
                reals(1, 2, 3, 5),
                "num_heads",
                2);
        smooth(
                "heads",
                14,
                "com.microsoft:MultiHeadAttention",
                reals(2, 3, 4),
                reals(2, 2, 5, 2),
                reals(2, 2, 5, 2).mul(0.5),
                "num_heads",
                2);
        add(
                "past",
                14,
                "com.microsoft:MultiHeadAttention",
                3,
                true,
                reals(2, 3, 4),
                reals(2, 3, 4).mul(0.5),
                reals(2, 3, 4),
                null,
                null,
                null,
                reals(2, 2, 4, 2),
                reals(2, 2, 4, 2).mul(0.7),
                "num_heads",
                2);
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

    private void grouped() {
        add(
                "prompt",
                14,
                "com.microsoft:GroupQueryAttention",
                3,
                false,
                reals(1, 3, 32),
                reals(1, 3, 16).mul(0.5),
                reals(1, 3, 16),
                null,
                null,
                lengths(2),
                lengths(3).reshape(),
                "num_heads",
                4,
                "kv_num_heads",
                2);
        add(
                "rotary",
                14,
                "com.microsoft:GroupQueryAttention",
                3,
                false,
                reals(2, 3, 64),
                reals(2, 3, 32).mul(0.5),
                reals(2, 3, 32),
                null,
                null,
                lengths(2, 2),
                lengths(3).reshape(),
                stored(6, 8),
                stored(6, 8),
                "num_heads",
                4,
                "kv_num_heads",
                2,
                "do_rotary",
                1);
        add(
                "past",
                14,
                "com.microsoft:GroupQueryAttention",
                3,
                false,
                reals(1, 1, 32),
                reals(1, 1, 16).mul(0.5),
                reals(1, 1, 16),
                reals(1, 2, 4, 8),
                reals(1, 2, 4, 8).mul(0.4),
                lengths(4),
                lengths(5).reshape(),
                "num_heads",
                4,
                "kv_num_heads",
                2);
        add(
                "capped",
                14,
                "com.microsoft:GroupQueryAttention",
                3,
                false,
                reals(2, 3, 32),
                reals(2, 3, 16).mul(0.5),
                reals(2, 3, 16),
                null,
                null,
                lengths(2, 2),
                lengths(3).reshape(),
                "num_heads",
                4,
                "kv_num_heads",
                2,
                "softcap",
                0.8f);
        add(
                "packed",
                14,
                "com.microsoft:GroupQueryAttention",
                3,
                false,
                reals(1, 3, 64),
                null,
                null,
                null,
                null,
                lengths(2),
                lengths(3).reshape(),
                "num_heads",
                4,
                "kv_num_heads",
                2);
    }
}
