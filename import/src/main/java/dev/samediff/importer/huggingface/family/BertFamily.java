package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.Family;
import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * BERT (Devlin et al. 2018): learned positions and segments ({@code token_type_ids}), a pooler on the first token. Positions are places in
 * the row, padding on the left included, as transformers counts them unless it is given others.
 */
public final class BertFamily implements Family {
    /** The published model: masked words, which are built, and whether two sentences follow each other, which is left out. */
    private static final String PRETRAINING = "BertForPreTraining";

    @Override
    public Set<String> types() {
        return Set.of("bert");
    }

    @Override
    public List<String> architectures() {
        return Stream.concat(EncoderHead.architectures("Bert").stream(), Stream.of(PRETRAINING))
                .toList();
    }

    @Override
    public String prefix() {
        return "bert.";
    }

    @Override
    public List<String> computed() {
        return List.of("embeddings.position_ids", "cls.seq_relationship.weight", "cls.seq_relationship.bias");
    }

    @Override
    public void build(String architecture, ModelConfig config, Weights weights, GraphMessage graph) {
        EncoderHead head = architecture.equals(PRETRAINING) ? EncoderHead.MASKED_LM : EncoderHead.of(architecture);
        String root = head.root(prefix());
        BertEncoder encoder = new BertEncoder(config, weights, graph, root);
        EncoderInputs inputs = EncoderInputs.of(graph);
        String segments = graph.input("token_type_ids", EncoderInputs.DIMS);
        String embedded = encoder.embedded(inputs.ids(), inputs.places(graph), segments);
        EncoderOutputs outputs = new EncoderOutputs(config, weights, graph, encoder.width());
        String features = outputs.features(encoder.features(embedded, inputs.blocked()));
        String pooler = root + "pooler";
        switch (head) {
            case NONE, MASKED_LM -> {
                if (outputs.hasPooler(pooler)) {
                    outputs.pooled(pooler, features);
                }
                if (head == EncoderHead.MASKED_LM) {
                    maskedLm(config, new Layers(graph, weights), outputs, encoder, features);
                }
            }
            case CLASSIFICATION -> outputs.classes("classifier", outputs.pooled(pooler, features));
            case TAGGING -> {
                outputs.leavePooler(pooler);
                outputs.tags("classifier", features);
            }
            case ANSWERS -> {
                outputs.leavePooler(pooler);
                outputs.answers("qa_outputs", features);
            }
        }
    }

    private static void maskedLm(
            ModelConfig config, Layers layers, EncoderOutputs outputs, BertEncoder encoder, String features) {
        String at = "cls.predictions.";
        int width = encoder.width();
        String dense = layers.linear(at + "transform.dense", features, width, width, true);
        String active = layers.activation(config, "hidden_act", "gelu", dense);
        String normal = layers.layerNorm(at + "transform.LayerNorm", active, width, encoder.eps());
        outputs.vocabulary(at + "decoder", at + "bias", encoder.table(), normal, config.size("vocab_size"));
    }
}
