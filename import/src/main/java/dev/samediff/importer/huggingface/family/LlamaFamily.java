package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.Family;
import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Llama 1 to 3, TinyLlama, SmolLM ({@code llama}), Mistral, Qwen 2 and Qwen 3: RMS norms before grouped-query attention with rotary positions
 * and before a gated feed-forward layer (Touvron et al. 2023; Jiang et al. 2023; Yang et al. 2024, 2025).
 */
public final class LlamaFamily implements Family {
    private static final String MISTRAL = "mistral";
    private static final String QWEN2 = "qwen2";
    private static final String QWEN3 = "qwen3";

    @Override
    public Set<String> types() {
        return Set.of("llama", MISTRAL, QWEN2, QWEN3);
    }

    @Override
    public List<String> architectures() {
        return List.of("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM");
    }

    @Override
    public String prefix() {
        return "model.";
    }

    @Override
    public List<String> computed() {
        return List.of("rotary_emb.inv_freq");
    }

    @Override
    public void build(String architecture, ModelConfig config, Weights weights, GraphMessage graph) {
        new Build(config, weights, graph).model();
    }

    /** One model while it is built. */
    private static final class Build {
        private final ModelConfig config;
        private final Weights weights;
        private final GraphMessage graph;
        private final Layers layers;
        private final String type;
        private final int width;
        private final int inner;
        private final int heads;
        private final int keyHeads;
        private final int headWidth;
        private final double eps;

        Build(ModelConfig config, Weights weights, GraphMessage graph) {
            this.config = config;
            this.weights = weights;
            this.graph = graph;
            this.layers = new Layers(graph, weights);
            this.type = config.text("model_type", "");
            this.width = config.size("hidden_size");
            this.inner = config.size("intermediate_size");
            this.heads = config.size("num_attention_heads");
            this.keyHeads = config.size("num_key_value_heads", heads);
            this.eps = config.number("rms_norm_eps", 1e-6);
            if (heads % keyHeads != 0) {
                throw config.refused(
                        "num_key_value_heads", "is " + keyHeads, "a divisor of num_attention_heads, " + heads);
            }
            if (!config.has("head_dim") && width % heads != 0) {
                throw config.refused("num_attention_heads", "is " + heads, "a divisor of hidden_size, " + width);
            }
            this.headWidth = config.size("head_dim", width / heads);
        }

        void model() {
            int vocabulary = config.size("vocab_size");
            CausalInputs inputs = CausalInputs.of(graph, window());
            Rotary.Angles angles = Rotary.of(config, headWidth).angles(graph, inputs.positions());
            String hidden = layers.embedding("model.embed_tokens", inputs.ids(), vocabulary, width);
            for (int layer = 0, count = config.size("num_hidden_layers"); layer < count; layer++) {
                String path = "model.layers." + layer + ".";
                String normal = layers.rmsNorm(path + "input_layernorm", hidden, width, eps);
                hidden = graph.node("Add", hidden, attention(path + "self_attn.", normal, inputs.blocked(), angles));
                String middle = layers.rmsNorm(path + "post_attention_layernorm", hidden, width, eps);
                hidden = graph.node("Add", hidden, feedForward(path + "mlp.", middle));
            }
            String last = layers.rmsNorm("model.norm", hidden, width, eps);
            head(last, vocabulary);
            graph.output("logits", "batch", "sequence", Integer.toString(vocabulary));
        }

        private void head(String hidden, int vocabulary) {
            boolean tied = config.flag("tie_word_embeddings", false);
            String own = "lm_head.weight";
            String table = weights.get(tied ? "model.embed_tokens.weight" : own, vocabulary, width);
            if (tied && weights.has(own)) {
                weights.leave(own); // the same numbers, stored twice by some
            }
            graph.in("lm_head");
            graph.named("logits", "MatMul", List.of(), hidden, graph.transposed(table, 1, 0));
        }

        /** A window that reaches as far as the longest text is none. */
        private OptionalInt window() {
            List<String> kinds = config.texts("layer_types");
            boolean used =
                    config.has("sliding_window") && (type.equals(MISTRAL) || config.flag("use_sliding_window", false));
            if (used && !type.equals(MISTRAL)) {
                throw config.refused(
                        "use_sliding_window", "is true", "false for " + type + "; export the model to ONNX");
            }
            String expected = used ? "sliding_attention" : "full_attention";
            if (!kinds.stream().allMatch(expected::equals)) {
                throw config.refused("layer_types", "is " + kinds, "`" + expected + "` for every layer");
            }
            return used ? OptionalInt.of(config.size("sliding_window")) : OptionalInt.empty();
        }

        private String attention(String path, String x, String blocked, Rotary.Angles angles) {
            boolean given = config.flag("attention_bias", false);
            boolean bias = type.equals(QWEN2) || given;
            String query =
                    layers.heads(layers.linear(path + "q_proj", x, width, heads * headWidth, bias), heads, headWidth);
            String key = layers.heads(
                    layers.linear(path + "k_proj", x, width, keyHeads * headWidth, bias), keyHeads, headWidth);
            String value = layers.heads(
                    layers.linear(path + "v_proj", x, width, keyHeads * headWidth, bias), keyHeads, headWidth);
            if (type.equals(QWEN3)) {
                query = layers.rmsNorm(path + "q_norm", query, headWidth, eps);
                key = layers.rmsNorm(path + "k_norm", key, headWidth, eps);
            }
            graph.in(path + "attn");
            String mixed = layers.attention(
                    angles.turn(graph, query),
                    repeated(angles.turn(graph, key)),
                    repeated(value),
                    blocked,
                    1 / Math.sqrt(headWidth),
                    heads,
                    headWidth);
            return layers.linear(path + "o_proj", mixed, heads * headWidth, width, given && !type.equals(QWEN2));
        }

        /** [batch,keyHeads,sequence,width] to [batch,heads,sequence,width]: each head of keys serves several of queries. */
        private String repeated(String x) {
            if (keyHeads == heads) {
                return x;
            }
            String apart = graph.node("Unsqueeze", x, graph.integers(2));
            String wide = graph.node("Expand", apart, graph.integers(1, 1, heads / keyHeads, 1, 1));
            return graph.node("Reshape", wide, graph.integers(0, heads, -1, headWidth));
        }

        private String feedForward(String path, String x) {
            boolean bias = config.flag("mlp_bias", false);
            String gate = layers.linear(path + "gate_proj", x, width, inner, bias);
            String up = layers.linear(path + "up_proj", x, width, inner, bias);
            graph.in(path + "act_fn");
            String product = graph.node("Mul", layers.activation(config, "hidden_act", "silu", gate), up);
            return layers.linear(path + "down_proj", product, inner, width, bias);
        }
    }
}
