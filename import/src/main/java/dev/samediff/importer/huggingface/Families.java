package dev.samediff.importer.huggingface;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.huggingface.family.BertFamily;
import dev.samediff.importer.huggingface.family.DistilBertFamily;
import dev.samediff.importer.huggingface.family.GemmaFamily;
import dev.samediff.importer.huggingface.family.Gpt2Family;
import dev.samediff.importer.huggingface.family.GptNeoXFamily;
import dev.samediff.importer.huggingface.family.LlamaFamily;
import dev.samediff.importer.huggingface.family.OptFamily;
import dev.samediff.importer.huggingface.family.RobertaFamily;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import onnx.Onnx.ModelProto;
import onnx.Onnx.OperatorSetIdProto;

/** Builds the message of a folder by the family that its {@code model_type} names. */
public final class Families {
    private static final int IR_VERSION = 8;
    private static final List<Family> ALL = List.of(
            new LlamaFamily(),
            new GemmaFamily(),
            new Gpt2Family(),
            new GptNeoXFamily(),
            new OptFamily(),
            new BertFamily(),
            new RobertaFamily(),
            new DistilBertFamily());

    /** Fields that change what a model computes, wherever they occur; a family that does not read one cannot build such a model. */
    private static final Set<String> CHANGING = Set.of(
            "rope_scaling",
            "rope_parameters",
            "sliding_window",
            "attention_bias",
            "mlp_bias",
            "partial_rotary_factor",
            "attn_logit_softcapping",
            "final_logit_softcapping",
            "num_local_experts",
            "num_experts",
            "use_qk_norm",
            "qk_layernorm",
            "layer_types",
            "no_rope_layers",
            "embedding_multiplier",
            "residual_multiplier",
            "logits_scaling",
            "attention_multiplier",
            "logit_scale",
            "alibi",
            "parallel_residual",
            "use_bidirectional_attention",
            "query_pre_attn_scalar",
            "use_parallel_residual",
            "is_encoder_decoder",
            "add_cross_attention",
            "position_embedding_type",
            "pruned_heads");

    private Families() {}

    /** Returns all {@code model_type}s that can be built. */
    public static List<String> types() {
        return ALL.stream().flatMap(family -> family.types().stream()).sorted().toList();
    }

    /** Returns the file that data of a message are found beside: a link of the hub's cache leads where the others lead. */
    public static Path anchor(HubFolder folder) {
        return folder.path().resolve(HubFolder.CONFIG);
    }

    /**
     * Returns a folder's model as an ONNX message whose weights are in the folder's files.
     *
     * @throws InvalidInputException if the model type is not known, or a field or tensor is missing, wrong or left over
     */
    public static ModelProto message(HubFolder folder) {
        ModelConfig config = new ModelConfig(folder.config(), anchor(folder).toString());
        String type = config.text("model_type", "");
        Family family = family(type)
                .orElseThrow(() -> config.refused(
                        "model_type",
                        type.isEmpty() ? "is missing" : "is `" + type + "`",
                        "one of " + String.join(", ", types()) + "; export other models to ONNX"));
        String architecture = architecture(family, config);
        GraphMessage graph = new GraphMessage();
        Weights weights = new Weights(folder, graph, family.prefix());
        family.build(architecture, config, weights, graph);
        config.requireRead(CHANGING);
        weights.requireAllRead(family.computed());
        return ModelProto.newBuilder()
                .setIrVersion(IR_VERSION)
                .setProducerName("samediff-adapters")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(GraphMessage.OPSET))
                .setGraph(graph.build(type))
                .build();
    }

    /**
     * Returns the name in a folder's files of a tensor that its message calls by its module's path.
     *
     * @return the given name if there is no such tensor
     */
    public static String stored(HubFolder folder, String name) {
        return family(folder.config().path("model_type").asText())
                .map(family -> folder.stored(name, family.prefix()))
                .orElse(name);
    }

    private static Optional<Family> family(String type) {
        return ALL.stream().filter(each -> each.types().contains(type)).findFirst();
    }

    private static String architecture(Family family, ModelConfig config) {
        List<String> given = config.texts("architectures");
        if (given.isEmpty()) {
            return family.architectures().get(0);
        }
        return given.stream()
                .filter(family.architectures()::contains)
                .findFirst()
                .orElseThrow(() -> config.refused(
                        "architectures",
                        "is " + given,
                        family.architectures().stream().collect(Collectors.joining(" or "))
                                + "; export other models to ONNX"));
    }
}
