package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.Family;
import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** GPT-2 (Radford et al. 2019): learned positions, layer norms first, weights [in,out], a tied head. */
public final class Gpt2Family implements Family {
    @Override
    public Set<String> types() {
        return Set.of("gpt2");
    }

    @Override
    public List<String> architectures() {
        return List.of("GPT2LMHeadModel");
    }

    @Override
    public String prefix() {
        return "transformer.";
    }

    /** The causal mask and the number for what it hides, which old files hold. */
    @Override
    public List<String> computed() {
        return List.of("attn.bias", "attn.masked_bias");
    }

    @Override
    public void build(String architecture, ModelConfig config, Weights weights, GraphMessage graph) {
        Layers layers = new Layers(graph, weights);
        int width = config.size("n_embd", 768);
        int heads = config.size("n_head", 12);
        int inner = config.size("n_inner", 4 * width);
        int vocabulary = config.size("vocab_size", 50257);
        int positions = config.size("n_positions", 1024);
        double eps = config.number("layer_norm_epsilon", 1e-5);
        if (width % heads != 0) {
            throw config.refused("n_head", "is " + heads, "a divisor of n_embd, " + width);
        }
        if (config.flag("add_cross_attention", false)) {
            throw config.refused("add_cross_attention", "is true", "false; export the model to ONNX");
        }
        boolean scaled = config.flag("scale_attn_weights", true);
        boolean byLayer = config.flag("scale_attn_by_inverse_layer_idx", false);
        CausalInputs inputs = CausalInputs.of(graph, OptionalInt.empty());
        String tokens = layers.embedding("transformer.wte", inputs.ids(), vocabulary, width);
        String places = layers.embedding("transformer.wpe", inputs.positions(), positions, width);
        String hidden = graph.node("Add", tokens, places);
        for (int layer = 0, count = config.size("n_layer", 12); layer < count; layer++) {
            String path = "transformer.h." + layer + ".";
            double scale = (scaled ? 1 / Math.sqrt((double) width / heads) : 1) / (byLayer ? layer + 1 : 1);
            String normal = layers.layerNorm(path + "ln_1", hidden, width, eps);
            List<String> parts = graph.split(layers.conv1d(path + "attn.c_attn", normal, width, 3 * width), 3);
            String mixed = layers.attention(
                    layers.heads(parts.get(0), heads, width / heads),
                    layers.heads(parts.get(1), heads, width / heads),
                    layers.heads(parts.get(2), heads, width / heads),
                    inputs.blocked(),
                    scale,
                    heads,
                    width / heads);
            hidden = graph.node("Add", hidden, layers.conv1d(path + "attn.c_proj", mixed, width, width));
            String middle = layers.layerNorm(path + "ln_2", hidden, width, eps);
            String up = layers.conv1d(path + "mlp.c_fc", middle, width, inner);
            String active = layers.activation(config, "activation_function", "gelu_new", up);
            hidden = graph.node("Add", hidden, layers.conv1d(path + "mlp.c_proj", active, inner, width));
        }
        String last = layers.layerNorm("transformer.ln_f", hidden, width, eps);
        boolean tied = config.flag("tie_word_embeddings", true);
        layers.vocabularyHead("lm_head", "transformer.wte", tied, last, vocabulary, width);
    }
}
