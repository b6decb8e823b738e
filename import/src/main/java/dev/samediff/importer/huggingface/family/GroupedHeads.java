package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;

/**
 * Sizes of grouped-query attention (Ainslie et al. 2023).
 *
 * @param width of the model
 * @param heads of queries
 * @param keyHeads of keys and values, each of which serves several of queries
 * @param headWidth numbers in a head
 */
record GroupedHeads(int width, int heads, int keyHeads, int headWidth) {
    /** Reads {@code hidden_size}, {@code num_attention_heads}, {@code num_key_value_heads}, {@code head_dim}. */
    static GroupedHeads of(ModelConfig config) {
        int width = config.size("hidden_size");
        int heads = config.size("num_attention_heads");
        int keyHeads = config.size("num_key_value_heads", heads);
        if (heads % keyHeads != 0) {
            throw config.refused("num_key_value_heads", "is " + keyHeads, "a divisor of num_attention_heads, " + heads);
        }
        return new GroupedHeads(
                width, heads, keyHeads, config.has("head_dim") ? config.size("head_dim") : equal(config, width, heads));
    }

    /** Returns the numbers in a head where the heads share the width. */
    static int equal(ModelConfig config, int width, int heads) {
        if (width % heads != 0) {
            throw config.refused("num_attention_heads", "is " + heads, "a divisor of hidden_size, " + width);
        }
        return width / heads;
    }

    /** Returns the numbers of all heads of queries. */
    int queries() {
        return heads * headWidth;
    }

    /** Returns the numbers of all heads of keys, or of values. */
    int keys() {
        return keyHeads * headWidth;
    }

    /** [batch,keyHeads,sequence,headWidth] to [batch,heads,sequence,headWidth]. */
    String repeated(GraphMessage graph, String x) {
        if (keyHeads == heads) {
            return x;
        }
        String apart = graph.node("Unsqueeze", x, graph.integers(2));
        String wide = graph.node("Expand", apart, graph.integers(1, 1, heads / keyHeads, 1, 1));
        return graph.node("Reshape", wide, graph.integers(0, heads, -1, headWidth));
    }
}
