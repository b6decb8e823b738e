package dev.samediff.importer.naming;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.TinyModel;
import dev.samediff.importer.onnx.OnnxNode;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModulePathsTest {
    private static LinearUse use(String node, String weight, String bias) {
        return new LinearUse(TinyModel.namedNode(node, "MatMul"), weight, false, bias.isEmpty() ? null : bias);
    }

    @ParameterizedTest(name = "{3}")
    @CsvSource({
        "/x/MatMul, transformer.h.0.attn.c_attn.weight, h.bias, transformer.h.0.attn.c_attn",
        "/x/MatMul, onnx::MatMul_278, transformer.h.0.mlp.c_fc.bias, transformer.h.0.mlp.c_fc",
        "/model/layers.0/self_attn/q_proj/MatMul, onnx::MatMul_278, '', model.layers.0.self_attn.q_proj",
        "/model/layers.0/mlp/MatMul_1, onnx::MatMul_279, '', model.layers.0.mlp",
        "/lm_head/MatMul, onnx::MatMul_9, '', lm_head",
    })
    void paths_come_from_the_weight_else_the_bias_else_the_node(
            String node, String weight, String bias, String expected) {
        assertThat(ModulePaths.of(use(node, weight, bias), true)).contains(expected);
    }

    @Test
    void the_name_of_an_embedding_table_is_not_that_of_the_layer_tied_to_it() {
        assertThat(ModulePaths.of(use("/lm_head/MatMul", "transformer.wte.weight", ""), false))
                .contains("lm_head");
    }

    @Test
    void a_nameless_layer_has_no_path() {
        assertThat(ModulePaths.of(use("MatMul_12", "443", "444"), true)).isEmpty();
        assertThat(ModulePaths.of(use("/MatMul", "onnx::MatMul_1", ""), true)).isEmpty();
    }

    @Test
    void a_table_is_named_by_itself_or_by_its_gather_when_a_head_has_the_name() {
        OnnxNode gather = OnnxNode.of("/model/embed_tokens/Gather", "Gather", 2, 1, Map.of());
        assertThat(ModulePaths.ofTable("transformer.wte.weight", gather, Set.of("lm_head"), Prefixes.NONE))
                .contains("transformer.wte");
        assertThat(ModulePaths.ofTable("lm_head.weight", gather, Set.of("lm_head"), Prefixes.NONE))
                .contains("model.embed_tokens");
        assertThat(ModulePaths.ofTable(
                        "lm_head.weight", gather, Set.of("lm_head", "model.embed_tokens"), Prefixes.NONE))
                .isEmpty();
        assertThat(ModulePaths.ofTable("onnx::Gather_7", gather, Set.of(), Prefixes.NONE))
                .isEmpty();
    }
}
