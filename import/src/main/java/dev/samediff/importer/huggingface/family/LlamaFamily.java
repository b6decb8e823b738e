package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.Family;
import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Llama 1 to 3, TinyLlama, SmolLM ({@code llama}), Mistral, Qwen 2, Qwen 3 and Phi-3 (whose projections are fused): RMS norms before grouped-query attention with rotary positions
 * and before a gated feed-forward layer (Touvron et al. 2023; Jiang et al. 2023; Yang et al. 2024, 2025; Abdin et al. 2024).
 */
public final class LlamaFamily implements Family {
    private static final String MISTRAL = "mistral";
    private static final String QWEN2 = "qwen2";
    private static final String QWEN3 = "qwen3";
    private static final String PHI3 = "phi3";

    @Override
    public Set<String> types() {
        return Set.of("llama", MISTRAL, QWEN2, QWEN3, PHI3);
    }

    @Override
    public List<String> architectures() {
        return List.of(
                "LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "Phi3ForCausalLM");
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
        private final GroupedHeads heads;
        private final double eps;

        Build(ModelConfig config, Weights weights, GraphMessage graph) {
            this.config = config;
            this.weights = weights;
            this.graph = graph;
            this.layers = new Layers(graph, weights);
            this.type = config.text("model_type", "");
            this.width = config.size("hidden_size");
            this.inner = config.size("intermediate_size");
            this.heads = GroupedHeads.of(config);
            this.eps = config.number("rms_norm_eps", type.equals(PHI3) ? 1e-5 : 1e-6);
        }

        void model() {
            int vocabulary = config.size("vocab_size");
            CausalInputs inputs = CausalInputs.of(graph, window());
            Rotary.Angles angles = rotary().angles(graph, inputs.positions());
            String hidden = layers.embedding("model.embed_tokens", inputs.ids(), vocabulary, width);
            for (int layer = 0, count = config.size("num_hidden_layers"); layer < count; layer++) {
                String path = "model.layers." + layer + ".";
                String normal = layers.rmsNorm(path + "input_layernorm", hidden, width, eps);
                hidden = graph.node("Add", hidden, attention(path + "self_attn.", normal, inputs.blocked(), angles));
                String middle = layers.rmsNorm(path + "post_attention_layernorm", hidden, width, eps);
                hidden = graph.node("Add", hidden, feedForward(path + "mlp.", middle));
            }
            String last = layers.rmsNorm("model.norm", hidden, width, eps);
            boolean tied = config.flag("tie_word_embeddings", false);
            layers.vocabularyHead("lm_head", "model.embed_tokens", tied, last, vocabulary, width);
        }

        private Rotary rotary() {
            return type.equals(PHI3)
                    ? Rotary.partial(config, heads.headWidth(), config.number("partial_rotary_factor", 1), 10000)
                    : Rotary.of(config, heads.headWidth());
        }

        /** A window that reaches as far as the longest text is none. */
        private OptionalInt window() {
            List<String> kinds = config.texts("layer_types");
            boolean always = type.equals(MISTRAL) || type.equals(PHI3);
            boolean used = config.has("sliding_window") && (always || config.flag("use_sliding_window", false));
            if (used && !always) {
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
            if (type.equals(PHI3)) {
                config.requireFalse("attention_bias");
            }
            boolean given = config.flag("attention_bias", false);
            List<String> parts = projections(path, x, type.equals(QWEN2) || given);
            String query = layers.heads(parts.get(0), heads.heads(), heads.headWidth());
            String key = layers.heads(parts.get(1), heads.keyHeads(), heads.headWidth());
            String value = layers.heads(parts.get(2), heads.keyHeads(), heads.headWidth());
            if (type.equals(QWEN3)) {
                query = layers.rmsNorm(path + "q_norm", query, heads.headWidth(), eps);
                key = layers.rmsNorm(path + "k_norm", key, heads.headWidth(), eps);
            }
            graph.in(path + "attn");
            String mixed = layers.attention(
                    angles.turn(graph, query),
                    heads.repeated(graph, angles.turn(graph, key)),
                    heads.repeated(graph, value),
                    blocked,
                    1 / Math.sqrt(heads.headWidth()),
                    heads.heads(),
                    heads.headWidth());
            return layers.linear(path + "o_proj", mixed, heads.queries(), width, given && !type.equals(QWEN2));
        }

        /** Queries, keys and values of all heads. */
        private List<String> projections(String path, String x, boolean bias) {
            int queries = heads.queries();
            int keys = heads.keys();
            if (type.equals(PHI3)) {
                return graph.splitAt(
                        layers.linear(path + "qkv_proj", x, width, queries + 2 * keys, false), queries, keys, keys);
            }
            return List.of(
                    layers.linear(path + "q_proj", x, width, queries, bias),
                    layers.linear(path + "k_proj", x, width, keys, bias),
                    layers.linear(path + "v_proj", x, width, keys, bias));
        }

        private String feedForward(String path, String x) {
            boolean fused = type.equals(PHI3);
            if (fused) {
                config.requireFalse("mlp_bias");
            }
            boolean bias = config.flag("mlp_bias", false);
            List<String> parts = fused
                    ? graph.split(layers.linear(path + "gate_up_proj", x, width, 2 * inner, false), 2)
                    : List.of(
                            layers.linear(path + "gate_proj", x, width, inner, bias),
                            layers.linear(path + "up_proj", x, width, inner, bias));
            graph.in(path + "act_fn");
            String gate = layers.activation(config, "hidden_act", "silu", parts.get(0));
            String product = graph.node("Mul", gate, parts.get(1));
            return layers.linear(path + "down_proj", product, inner, width, bias);
        }
    }
}
