package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.Family;
import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Gemma (Gemma Team 2024a) and Gemma 2 (2024b): RMS norms by 1 + w, tokens times sqrt(width), a gated feed-forward layer with GELU, a tied head;
 * Gemma 2 has norms after its layers too, capped scores, and windows in every other layer.
 */
public final class GemmaFamily implements Family {
    private static final String SECOND = "gemma2";
    private static final String WINDOW = "sliding_attention";
    private static final String TANH = "gelu_pytorch_tanh";
    private static final String TABLE = "model.embed_tokens";

    @Override
    public Set<String> types() {
        return Set.of("gemma", SECOND);
    }

    @Override
    public List<String> architectures() {
        return List.of("GemmaForCausalLM", "Gemma2ForCausalLM");
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
        private final boolean second;
        private final GroupedHeads heads;
        private final int width;
        private final int inner;
        private final int count;
        private final double eps;
        private final double scale;
        private final OptionalDouble cap;

        Build(ModelConfig config, Weights weights, GraphMessage graph) {
            this.config = config;
            this.weights = weights;
            this.graph = graph;
            this.layers = new Layers(graph, weights);
            this.second = config.text("model_type", "").equals(SECOND);
            this.heads = GroupedHeads.of(config);
            this.width = heads.width();
            this.inner = config.size("intermediate_size");
            this.count = config.size("num_hidden_layers");
            this.eps = config.number("rms_norm_eps", 1e-6);
            this.scale = 1 / Math.sqrt(second ? config.number("query_pre_attn_scalar", 256) : heads.headWidth());
            this.cap = second ? cap("attn_logit_softcapping", 50) : OptionalDouble.empty();
            config.requireFalse("attention_bias");
        }

        /** A field that is null means none; one that is left out has the default of transformers' Gemma2Config. */
        private OptionalDouble cap(String field, double otherwise) {
            return config.mentions(field) && !config.has(field)
                    ? OptionalDouble.empty()
                    : OptionalDouble.of(config.number(field, otherwise));
        }

        void model() {
            int vocabulary = config.size("vocab_size");
            List<Boolean> narrow = windows();
            CausalInputs inputs = CausalInputs.of(graph, OptionalInt.empty());
            String near = narrow.contains(true) ? inputs.within(graph, config.size("sliding_window", 4096)) : "";
            Rotary.Angles angles = Rotary.of(config, heads.headWidth()).angles(graph, inputs.positions());
            String tokens = layers.embedding(TABLE, inputs.ids(), vocabulary, width);
            String hidden = graph.node("Mul", tokens, graph.number(rounded(Math.sqrt(width))));
            for (int layer = 0; layer < count; layer++) {
                String path = "model.layers." + layer + ".";
                String blocked = narrow.get(layer) ? near : inputs.blocked();
                String mixed = attention(path + "self_attn.", norm(path + "input_layernorm", hidden), blocked, angles);
                if (second) {
                    mixed = norm(path + "post_attention_layernorm", mixed);
                }
                hidden = graph.node("Add", hidden, mixed);
                String before = second ? "pre_feedforward_layernorm" : "post_attention_layernorm";
                String product = feedForward(path + "mlp.", norm(path + before, hidden));
                if (second) {
                    product = norm(path + "post_feedforward_layernorm", product);
                }
                hidden = graph.node("Add", hidden, product);
            }
            head(norm("model.norm", hidden), vocabulary);
        }

        /** transformers makes the factor a tensor of the model's type: sqrt(3072) is 55.5 in bfloat16. */
        private double rounded(double factor) {
            DataType type = weights.type(TABLE + ".weight");
            return Nd4j.scalar(factor).castTo(type).castTo(DataType.DOUBLE).getDouble(0);
        }

        private void head(String last, int vocabulary) {
            boolean tied = config.flag("tie_word_embeddings", true);
            OptionalDouble most = second ? cap("final_logit_softcapping", 30) : OptionalDouble.empty();
            layers.vocabularyHead("lm_head", TABLE, tied, last, vocabulary, width, most);
        }

        /** Whether each layer has a window: in Gemma 2 those of even number, or as {@code layer_types} says. */
        private List<Boolean> windows() {
            List<String> kinds = config.texts("layer_types");
            List<String> known = second ? List.of(WINDOW, "full_attention") : List.of("full_attention");
            if (!kinds.isEmpty() && (kinds.size() != count || !known.containsAll(kinds))) {
                throw config.refused("layer_types", "is " + kinds, count + " times " + String.join(" or ", known));
            }
            return IntStream.range(0, count)
                    .mapToObj(layer -> second
                            && (kinds.isEmpty()
                                    ? layer % 2 == 0
                                    : kinds.get(layer).equals(WINDOW)))
                    .toList();
        }

        private String norm(String path, String x) {
            return layers.rmsNormFromOne(path, x, width, eps);
        }

        private String attention(String path, String x, String blocked, Rotary.Angles angles) {
            String query = layers.linear(path + "q_proj", x, width, heads.queries(), false);
            String key = layers.linear(path + "k_proj", x, width, heads.keys(), false);
            String value = layers.linear(path + "v_proj", x, width, heads.keys(), false);
            graph.in(path + "attn");
            String turned = angles.turn(graph, layers.heads(query, heads.heads(), heads.headWidth()));
            String against = angles.turn(graph, layers.heads(key, heads.keyHeads(), heads.headWidth()));
            String scores = layers.scores(turned, heads.repeated(graph, against), scale);
            String values = heads.repeated(graph, layers.heads(value, heads.keyHeads(), heads.headWidth()));
            String mixed = layers.mixed(
                    cap.isPresent() ? layers.capped(scores, cap.getAsDouble()) : scores,
                    values,
                    blocked,
                    heads.heads(),
                    heads.headWidth());
            return layers.linear(path + "o_proj", mixed, heads.queries(), width, false);
        }

        private String feedForward(String path, String x) {
            String gate = layers.linear(path + "gate_proj", x, width, inner, false);
            String up = layers.linear(path + "up_proj", x, width, inner, false);
            graph.in(path + "act_fn");
            String product = graph.node("Mul", layers.activation(config, activation(), TANH, gate), up);
            return layers.linear(path + "down_proj", product, inner, width, false);
        }

        /** Gemma's first files say {@code gelu} in {@code hidden_act}, and mean the approximation by tanh; only {@code hidden_activation} counts. */
        private String activation() {
            String old = config.text("hidden_act", TANH);
            if (!config.has("hidden_activation") && !old.equals(TANH) && !old.equals("gelu")) {
                throw config.refused("hidden_act", "is `" + old + "`", TANH);
            }
            return "hidden_activation";
        }
    }
}
