package dev.samediff.importer;

/** ONNX Runtime's fused attention. */
class FusedAttentionOperatorsTest extends OperatorCases {
    @Override
    void define() {
        attention();
        multiHead();
        grouped();
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
