package dev.samediff.importer;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Options of ONNX Runtime's fused operators, alone and together: windows, masks with a past, every optional input. */
class FusedOptionsTest extends OperatorCases {
    @Override
    void define() {
        INDArray byQuery =
                Nd4j.createFromArray(new int[][][] {{{1, 0, 1}, {1, 1, 0}, {0, 1, 1}}, {{1, 1, 1}, {1, 0, 0}, {1, 1, 1}}
                });
        INDArray past = reals(2, 2, 2, 2, 2);
        attention("keys by query", byQuery, null, null, 0);
        attention("score bias", null, null, reals(2, 2, 3, 3), 0);
        attention("keys and past", ids(new int[] {0, 1, 1, 1, 1}, new int[] {1, 1, 1, 1, 0}), past, null, 0);
        attention("keys, past, causal", ids(new int[] {0, 1, 1, 1, 1}, new int[] {1, 1, 1, 1, 1}), past, null, 1);
        multiHead();
        grouped();
        layers();
    }

    private void attention(String title, INDArray mask, INDArray past, INDArray bias, int causal) {
        add(
                title,
                14,
                "com.microsoft:Attention",
                past == null ? 1 : 2,
                true,
                reals(2, 3, 4),
                stored(4, 12),
                stored(12),
                mask,
                past,
                bias,
                "num_heads",
                2,
                "unidirectional",
                causal);
    }

    private void multiHead() {
        add(
                "bias, keys and past",
                14,
                "com.microsoft:MultiHeadAttention",
                3,
                true,
                reals(2, 3, 4),
                reals(2, 3, 4).mul(0.5),
                reals(2, 3, 4),
                stored(12),
                ids(new int[] {0, 1, 1, 1, 1}, new int[] {1, 1, 1, 1, 1}),
                null,
                reals(2, 2, 2, 2),
                reals(2, 2, 2, 2).mul(0.7),
                "num_heads",
                2,
                "scale",
                0.4f);
    }

    private void grouped() {
        for (int window : new int[] {1, 2, 4, 9}) {
            group("window " + window, 1, 5, null, "local_window_size", window);
        }
        group("window and past", 1, 1, reals(1, 2, 5, 8), "local_window_size", 2);
        group("scale", 2, 3, null, "scale", 0.2f);
        group("rotary and past", 1, 1, reals(1, 2, 4, 16), "do_rotary", 1);
        group("neighbours", 2, 3, null, "do_rotary", 1, "rotary_interleaved", 1);
    }

    /** ONNX Runtime rotates heads only whose width is a multiple of 16. */
    private void group(String title, int rows, int tokens, INDArray past, Object... attributes) {
        boolean rotary = attributes[0].equals("do_rotary");
        int before = past == null ? 0 : (int) past.size(2);
        int[] last = new int[rows];
        Arrays.fill(last, before + tokens - 1);
        int width = rotary ? 16 : 8;
        Object[] given = {
            reals(rows, tokens, 4L * width),
            reals(rows, tokens, 2L * width).mul(0.5),
            reals(rows, tokens, 2L * width),
            past,
            past == null ? null : past.mul(0.4),
            lengths(last),
            lengths(before + tokens).reshape(),
            rotary ? stored(8, width / 2) : null,
            rotary ? stored(8, width / 2) : null,
            "num_heads",
            4,
            "kv_num_heads",
            2
        };
        Object[] all = Arrays.copyOf(given, given.length + attributes.length);
        System.arraycopy(attributes, 0, all, given.length, attributes.length);
        add(title, 14, "com.microsoft:GroupQueryAttention", 3, true, all);
    }

    private void layers() {
        add(
                "mask",
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
                stored(4),
                ids(new int[] {1, 1, 0}, new int[] {1, 1, 1}));
        smooth(
                "bias",
                14,
                "com.microsoft:SkipSimplifiedLayerNormalization",
                reals(2, 2, 4),
                reals(2, 2, 4).mul(-0.3).add(0.2),
                positive(4),
                reals(4).mul(2),
                "epsilon",
                1e-2f);
        smooth(
                "no shift",
                14,
                "com.microsoft:SkipLayerNormalization",
                reals(2, 2, 4),
                reals(2, 2, 4).mul(-0.3).add(0.2),
                positive(4),
                "epsilon",
                1e-2f);
    }
}
