package dev.samediff.importer.naming;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.LinearLayer;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.importer.TinyModel;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import onnx.Onnx.FunctionProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** Module paths where torch.onnx leaves half of them, as files of torch 1.13 have them. */
class ModuleNamesTest {
    @TempDir
    Path folder;

    private static HostTensor ones(long... shape) {
        return HostTensor.filled(DataType.FLOAT, shape, 0.5);
    }

    private static List<String> modules(Path file) {
        return OnnxImporter.inspect(file).linearLayers().stream()
                .map(LinearLayer::module)
                .toList();
    }

    /** Two layers of a model whose inner module is never called: nodes lack "model". */
    private static TinyModel layers(boolean bias) {
        TinyModel model = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("model.layers.0.norm.weight", ones(4))
                .initializer("onnx::MatMul_1", ones(4, 4))
                .initializer("onnx::MatMul_2", ones(4, 4))
                .initializer("onnx::MatMul_3", ones(4, 6))
                .initializer("model.layers.0.attn.q.bias", ones(4))
                .named("/layers.0/norm/Mul", "Mul", "x model.layers.0.norm.weight", "n")
                .named("/layers.0/attn/q/MatMul", "MatMul", "n onnx::MatMul_1", "q");
        return (bias ? model.named("/layers.0/attn/q/Add", "Add", "q model.layers.0.attn.q.bias", "qb") : model)
                .named("/layers.0/attn/o/MatMul", "MatMul", bias ? "qb onnx::MatMul_2" : "q onnx::MatMul_2", "o")
                .named("/lm_head/MatMul", "MatMul", "o onnx::MatMul_3", "y")
                .output("y", DataType.FLOAT, -1, 6);
    }

    @Test
    void a_model_has_one_prefix_whether_layers_have_a_bias_or_not() {
        List<String> expected = List.of("model.layers.0.attn.q", "model.layers.0.attn.o", "lm_head");
        assertThat(modules(layers(true).write(folder))).isEqualTo(expected);
        assertThat(modules(layers(false).write(folder))).isEqualTo(expected);
    }

    @Test
    void contradicting_names_add_no_prefix() {
        TinyModel model = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("a.block.norm.weight", ones(4))
                .initializer("b.block.scale.weight", ones(4))
                .initializer("onnx::MatMul_1", ones(4, 4))
                .named("/block/norm/Mul", "Mul", "x a.block.norm.weight", "n")
                .named("/block/scale/Mul", "Mul", "n b.block.scale.weight", "s")
                .named("/block/fc/MatMul", "MatMul", "s onnx::MatMul_1", "y")
                .output("y", DataType.FLOAT, -1, 4);
        assertThat(modules(model.write(folder))).containsExactly("block.fc");
    }

    @Test
    void factors_of_an_exported_adapter_are_called_as_peft_calls_them() {
        TinyModel model = new TinyModel(14)
                .input("x", DataType.FLOAT, -1, 8)
                .initializer("base_model.model.q_proj.base_layer.bias", ones(8))
                .initializer("onnx::MatMul_21", ones(8, 8))
                .initializer("onnx::MatMul_22", ones(8, 2))
                .initializer("onnx::MatMul_23", ones(2, 8))
                .named("/q_proj/base_layer/MatMul", "MatMul", "x onnx::MatMul_21", "b")
                .named("/q_proj/base_layer/Add", "Add", "base_model.model.q_proj.base_layer.bias b", "bb")
                .named("/q_proj/default/MatMul", "MatMul", "x onnx::MatMul_22", "a")
                .named("/q_proj/default_1/MatMul", "MatMul", "a onnx::MatMul_23", "ab")
                .named("/q_proj/Add", "Add", "bb ab", "y")
                .output("y", DataType.FLOAT, -1, 8);
        assertThat(modules(model.write(folder)))
                .containsExactly(
                        "base_model.model.q_proj.base_layer",
                        "base_model.model.q_proj.lora_A.default",
                        "base_model.model.q_proj.lora_B.default");
    }

    private static NodeProto node(String operator, String domain, String name, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setOpType(operator)
                .setDomain(domain)
                .setName(name)
                .addAllInput(List.of(inputs))
                .addOutput(output)
                .build();
    }

    private static FunctionProto function(String name, List<String> inputs, NodeProto... nodes) {
        return FunctionProto.newBuilder()
                .setName(name)
                .setDomain("own")
                .addAllInput(inputs)
                .addOutput("out")
                .addAllNode(List.of(nodes))
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(15))
                .build();
    }

    @Test
    void modules_exported_as_functions_keep_their_paths() throws IOException {
        TinyModel model = new TinyModel(15)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("onnx::MatMul_1", ones(4, 4))
                .initializer("onnx::MatMul_2", ones(4, 6))
                .initializer("onnx::MatMul_3", ones(4, 6))
                .initializer("onnx::MatMul_4", ones(6, 4))
                .named("/layers.0/attn/q_proj/Linear", "own:Linear", "x onnx::MatMul_1", "q")
                .named(
                        "/layers.0/mlp/down_proj/Gated",
                        "own:Gated",
                        "q onnx::MatMul_2 onnx::MatMul_3 onnx::MatMul_4",
                        "y")
                .output("y", DataType.FLOAT, -1, 4);
        ModelProto.Builder proto = model.proto().toBuilder();
        proto.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("own").setVersion(1));
        proto.addFunctions(function("Linear", List.of("a", "w"), node("MatMul", "", "MatMul_4", "out", "a", "w")));
        proto.addFunctions(function(
                "Gated",
                List.of("a", "g", "u", "d"),
                node("MatMul", "", "MatMul_12", "m", "a", "g"),
                node("MatMul", "", "MatMul_15", "n", "a", "u"),
                node("Mul", "", "Mul_16", "mn", "m", "n"),
                node("MatMul", "", "MatMul_17", "out", "mn", "d")));
        Path file = Files.write(folder.resolve("functions.onnx"), proto.build().toByteArray());
        assertThat(modules(file))
                .containsExactly(
                        "layers.0.attn.q_proj",
                        "layers.0.mlp.product_0",
                        "layers.0.mlp.product_1",
                        "layers.0.mlp.product_2");
    }
}
