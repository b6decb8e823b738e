package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.Family;
import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * GPT-NeoX and Pythia (Black et al. 2022; Biderman et al. 2023): rotary positions for a part of each head, queries, keys and values fused head by
 * head, attention and feed-forward layer side by side.
 */
public final class GptNeoXFamily implements Family {
    @Override
    public Set<String> types() {
        return Set.of("gpt_neox");
    }

    @Override
    public List<String> architectures() {
        return List.of("GPTNeoXForCausalLM");
    }

    @Override
    public String prefix() {
        return "gpt_neox.";
    }

    /** The causal mask, the number for what it hides and the frequencies, which old files hold. */
    @Override
    public List<String> computed() {
        return List.of("attention.bias", "attention.masked_bias", "rotary_emb.inv_freq");
    }

    @Override
    public void build(String architecture, ModelConfig config, Weights weights, GraphMessage graph) {
        Layers layers = new Layers(graph, weights);
        int width = config.size("hidden_size");
        int heads = config.size("num_attention_heads");
        int inner = config.size("intermediate_size");
        int vocabulary = config.size("vocab_size");
        int each = GroupedHeads.equal(config, width, heads);
        double eps = config.number("layer_norm_eps", 1e-5);
        boolean parallel = config.flag("use_parallel_residual", true);
        boolean bias = config.flag("attention_bias", true);
        CausalInputs inputs = CausalInputs.of(graph, OptionalInt.empty());
        Rotary.Angles angles = rotary(config, each).angles(graph, inputs.positions());
        String hidden = layers.embedding("gpt_neox.embed_in", inputs.ids(), vocabulary, width);
        for (int layer = 0, count = config.size("num_hidden_layers"); layer < count; layer++) {
            String path = "gpt_neox.layers." + layer + ".";
            String normal = layers.layerNorm(path + "input_layernorm", hidden, width, eps);
            String fused = layers.linear(path + "attention.query_key_value", normal, width, 3 * width, bias);
            graph.in(path + "attention.attn");
            List<String> parts = graph.split(layers.heads(fused, heads, 3 * each), 3);
            String mixed = layers.attention(
                    angles.turn(graph, parts.get(0)),
                    angles.turn(graph, parts.get(1)),
                    parts.get(2),
                    inputs.blocked(),
                    1 / Math.sqrt(each),
                    heads,
                    each);
            String after =
                    graph.node("Add", hidden, layers.linear(path + "attention.dense", mixed, width, width, bias));
            String middle = layers.layerNorm(path + "post_attention_layernorm", parallel ? hidden : after, width, eps);
            String up = layers.linear(path + "mlp.dense_h_to_4h", middle, width, inner, true);
            String active = layers.activation(config, "hidden_act", "gelu", up);
            hidden = graph.node("Add", after, layers.linear(path + "mlp.dense_4h_to_h", active, inner, width, true));
        }
        String last = layers.layerNorm("gpt_neox.final_layer_norm", hidden, width, eps);
        boolean tied = config.flag("tie_word_embeddings", false);
        layers.vocabularyHead("embed_out", "gpt_neox.embed_in", tied, last, vocabulary, width);
    }

    /** {@code rotary_pct} and {@code rotary_emb_base}; newer files have them in {@code rope_parameters}. */
    private static Rotary rotary(ModelConfig config, int each) {
        double share = config.number("partial_rotary_factor", config.number("rotary_pct", 0.25));
        Optional<ModelConfig> parameters = config.object("rope_parameters");
        if (parameters.isPresent()) {
            share = parameters.get().number("partial_rotary_factor", share);
        }
        return Rotary.partial(config, each, share, config.number("rotary_emb_base", 10000));
    }
}
