package dev.samediff.importer.huggingface.family;

import static dev.samediff.importer.huggingface.GraphMessage.integer;

import dev.samediff.importer.huggingface.Family;
import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;
import java.util.Set;
import onnx.Onnx.TensorProto;

/**
 * RoBERTa (Liu et al. 2019), XLM-RoBERTa (Conneau et al. 2020) and CamemBERT (Martin et al. 2020): BERT's encoder with one segment, and
 * positions that count the tokens that are no padding, from {@code pad_token_id + 1} on; padding has the position {@code pad_token_id}.
 */
public final class RobertaFamily implements Family {
    @Override
    public Set<String> types() {
        return Set.of("roberta", "xlm-roberta", "camembert");
    }

    @Override
    public List<String> architectures() {
        return EncoderHead.architectures("Roberta", "XLMRoberta", "Camembert");
    }

    @Override
    public String prefix() {
        return "roberta.";
    }

    @Override
    public List<String> computed() {
        return List.of("embeddings.position_ids");
    }

    @Override
    public void build(String architecture, ModelConfig config, Weights weights, GraphMessage graph) {
        EncoderHead head = EncoderHead.of(architecture);
        String root = head.root(prefix());
        BertEncoder encoder = new BertEncoder(config, weights, graph, root);
        EncoderInputs inputs = EncoderInputs.of(graph);
        String positions = positions(graph, inputs.ids(), config.index("pad_token_id", 1));
        String embedded = encoder.embedded(inputs.ids(), positions, graph.integer(0));
        int width = encoder.width();
        Layers layers = new Layers(graph, weights);
        EncoderOutputs outputs = new EncoderOutputs(config, weights, graph, width);
        String features = outputs.features(encoder.features(embedded, inputs.blocked()));
        String pooler = root + "pooler";
        if (head == EncoderHead.NONE && outputs.hasPooler(pooler)) {
            outputs.pooled(pooler, features);
        } else {
            outputs.leavePooler(pooler);
        }
        switch (head) {
            case NONE -> {
                // features are all
            }
            case MASKED_LM -> {
                String dense = layers.gelu(layers.linear("lm_head.dense", features, width, width, true));
                String normal = layers.layerNorm("lm_head.layer_norm", dense, width, encoder.eps());
                outputs.vocabulary(
                        "lm_head.decoder", "lm_head.bias", encoder.table(), normal, config.size("vocab_size"));
            }
            case CLASSIFICATION -> {
                String first = outputs.first(features);
                String dense = layers.linear("classifier.dense", first, width, width, true);
                outputs.classes("classifier.out_proj", graph.node("Tanh", dense));
            }
            case TAGGING -> outputs.tags("classifier", features);
            case ANSWERS -> outputs.answers("qa_outputs", features);
        }
    }

    private static String positions(GraphMessage graph, String ids, int padding) {
        graph.in("");
        String same = graph.node("Equal", ids, graph.integer(padding));
        String real =
                graph.node("Cast", List.of(integer("to", TensorProto.DataType.INT64_VALUE)), graph.node("Not", same));
        String count = graph.node("CumSum", real, graph.integer(1));
        return graph.node("Add", graph.node("Mul", count, real), graph.integer(padding));
    }
}
