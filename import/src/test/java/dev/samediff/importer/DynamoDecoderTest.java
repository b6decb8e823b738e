package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A decoder with learned positions as torch's dynamo exporter writes it (torch 2.5 to 2.9, made by hand after its files):
 * sizes by Shape with start and end, Reshape with allowzero, parameters behind a Transpose, masks by comparing, the newer
 * operators of each operator set.
 */
class DynamoDecoderTest {
    private static final int CONTEXT = 20;

    @TempDir
    Path folder;

    private static HostTensor reals(long... shape) {
        double[] values = new double[(int) HostTensor.length(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = 0.4 * Math.sin(1.7 * i + shape[shape.length - 1]);
        }
        return HostTensor.of(DataType.FLOAT, shape, values);
    }

    private static HostTensor whole(long value) {
        return HostTensor.of(DataType.LONG, new long[0], new long[] {value});
    }

    private static TinyModel decoder(int opset) {
        TinyModel model = new TinyModel(opset)
                .input("input_ids", DataType.LONG, -77, -27) // names of symbols say nothing: d77, d27
                .initializer("model.wte.weight", reals(30, 8))
                .initializer("model.wpe.weight", reals(CONTEXT, 8))
                .initializer("model.ln.weight", reals(8))
                .initializer("model.ln.bias", reals(8))
                .initializer("model.qkv.weight", reals(24, 8))
                .initializer("model.qkv.bias", reals(24))
                .initializer("model.up.weight", reals(16, 8))
                .initializer("model.down.weight", reals(8, 16))
                .initializer("lm_head.weight", reals(30, 8))
                .initializer("zero", whole(0))
                .initializer("one", whole(1))
                .initializer("axis0", HostTensor.vector(0))
                .initializer("axis1", HostTensor.vector(1))
                .initializer("scale", HostTensor.filled(DataType.FLOAT, new long[0], 0.5))
                .initializer("low", HostTensor.filled(DataType.FLOAT, new long[0], -3.4028234663852886e38))
                .initializer("split", HostTensor.vector(8, 8, 8));
        model.node("Shape", "input_ids", "b1", "start", 0, "end", 1)
                .node("Shape", "input_ids", "s1", "start", 1, "end", 2)
                .node("Squeeze", "s1", "s")
                .node("Range", "zero s one", "arange")
                .node("Unsqueeze", "arange axis0", "positions")
                .node("Gather", "model.wte.weight input_ids", "tokens")
                .node("Gather", "model.wpe.weight positions", "places")
                .node("Add", "tokens places", "x")
                .node("LayerNormalization", "x model.ln.weight model.ln.bias", "h", "axis", -1, "epsilon", 1e-5f)
                .node("Transpose", "model.qkv.weight", "qkv_t", "perm", new long[] {1, 0})
                .named("node_linear", "MatMul", "h qkv_t", "qkv_product")
                .node("Add", "qkv_product model.qkv.bias", "qkv")
                .node("Split", "qkv split", "q k v", "axis", 2)
                .initializer("heads", HostTensor.vector(2))
                .initializer("size", HostTensor.vector(4))
                .node("Concat", "b1 s1 heads size", "shape4", "axis", 0);
        for (String part : new String[] {"q", "k", "v"}) {
            model.node("Reshape", part + " shape4", part + "4", "allowzero", 1)
                    .node("Transpose", part + "4", part + "h", "perm", new long[] {0, 2, 1, 3});
        }
        model.node("Transpose", "kh", "kt", "perm", new long[] {0, 1, 3, 2})
                .node("MatMul", "qh kt", "scores")
                .node("Mul", "scores scale", "scaled")
                .node("Unsqueeze", "arange axis1", "rows")
                .node("Greater", "positions rows", "future")
                .node("Where", "future low scaled", "masked")
                .node("Softmax", "masked", "p", "axis", -1)
                .node("MatMul", "p vh", "mixed")
                .node("Transpose", "mixed", "mt", "perm", new long[] {0, 2, 1, 3})
                .initializer("width", HostTensor.vector(8))
                .node("Concat", "b1 s1 width", "shape3", "axis", 0)
                .node("Reshape", "mt shape3", "attended", "allowzero", 1)
                .node("Add", "x attended", "r")
                .node("Transpose", "model.up.weight", "up_t", "perm", new long[] {1, 0})
                .named("node_linear_1", "MatMul", "r up_t", "u");
        if (opset >= 20) {
            model.node("Gelu", "u", "g", "approximate", "tanh");
        } else {
            model.node("Tanh", "u", "g");
        }
        return model.node("Transpose", "model.down.weight", "down_t", "perm", new long[] {1, 0})
                .named("node_linear_2", "MatMul", "g down_t", "d")
                .node("Add", "r d", "last")
                .node("Transpose", "lm_head.weight", "head_t", "perm", new long[] {1, 0})
                .named("node_linear_3", "MatMul", "last head_t", "logits")
                .output("logits", DataType.FLOAT, -77, -27, 30);
    }

    @ParameterizedTest
    @ValueSource(ints = {18, 19, 20, 21, 22})
    void it_computes_what_onnx_runtime_does_up_to_its_longest_text(int opset) {
        Path file = decoder(opset).write(folder);
        ImportedModel model = OnnxImporter.load(file);
        assertThat(model.longestText()).hasValue(CONTEXT);
        assertThat(model.linearLayers())
                .extracting(LinearLayer::module)
                .containsExactly("model.qkv", "model.up", "model.down", "lm_head");
        Verification verification = OnnxVerifier.verify(file, VerificationPlan.thorough(1e-4, 1, 64));
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(verification.notes()).anyMatch(note -> note.contains("20 were tried"));
    }

    @ParameterizedTest
    @ValueSource(ints = {18, 23})
    void adapted_weights_are_written_back_under_their_own_names(int opset) {
        ImportedModel model = OnnxImporter.load(decoder(opset).write(folder));
        AdaptedModel adapted = AdaptedModel.inject(
                model.graph(),
                model.modulePaths(),
                AdapterConfig.of(Sorsa.rank(2)).withTargets(TargetSelector.allLinear()));
        assertThat(adapted.sites()).hasSize(3);
        assertThat(OnnxWriter.refusals(model, adapted.mergedWeights().keySet())).isEmpty();
        Path merged = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, adapted.mergedWeights(), merged);
        assertThat(OnnxImporter.load(merged).linearLayers())
                .extracting(LinearLayer::initializer)
                .contains("model.qkv.weight", "model.up.weight");
    }
}
