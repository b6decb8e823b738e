package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Attention and RotaryEmbedding of operator set 23, which ONNX Runtime 1.22 does not load: held against ONNX Runtime on the
 * same formula in plain operators.
 */
class ScaledAttentionTest {
    @TempDir
    Path folder;

    private static HostTensor real(double value) {
        return HostTensor.of(DataType.FLOAT, new long[0], new double[] {value});
    }

    private static TinyModel inputs(int opset) {
        return new TinyModel(opset)
                .input("q", DataType.FLOAT, -1, 2, 3, 4)
                .input("k", DataType.FLOAT, -1, 2, 3, 4)
                .input("v", DataType.FLOAT, -1, 2, 3, 4);
    }

    private void assertSame(TinyModel own, TinyModel plain) {
        ImportedModel imported = OnnxImporter.load(own.write(folder));
        Verification verification = OnnxVerifier.verify(plain.write(folder), imported, InputSizes.SAMPLES, 1e-5, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    /** {@code softmax(cap(q k' / 2) + mask) v}; the mask hides what is not visible. */
    private static TinyModel formula(TinyModel model, String keys, String values, String visible, double cap) {
        model.initializer("scale", real(0.5))
                .initializer("cap", real(cap))
                .initializer("hidden", real(-1e30))
                .node("Transpose", keys, "kt", "perm", new long[] {0, 1, 3, 2})
                .node("MatMul", "q kt", "raw")
                .node("Mul", "raw scale", "scores");
        String scores = "scores";
        if (cap > 0) {
            model.node("Div", "scores cap", "small")
                    .node("Tanh", "small", "tanh")
                    .node("Mul", "tanh cap", "capped");
            scores = "capped";
        }
        if (!visible.isEmpty()) {
            model.node("Where", visible + " " + scores + " hidden", "masked");
            scores = "masked";
        }
        return model.node("Softmax", scores, "weights", "axis", -1).node("MatMul", "weights " + values, "y");
    }

    @Test
    void plain_heads() {
        assertSame(
                inputs(23).node("Attention", "q k v", "y").output("y"),
                formula(inputs(18), "k", "v", "", 0).output("y"));
    }

    @Test
    void capped_scores_and_a_mask_of_truths() {
        HostTensor visible = HostTensor.of(DataType.BOOL, new long[] {3, 3}, new long[] {1, 0, 1, 1, 1, 0, 0, 1, 1});
        assertSame(
                inputs(23)
                        .initializer("mask", visible)
                        .node("Attention", "q k v mask", "y", "softcap", 0.7f)
                        .output("y"),
                formula(inputs(18).initializer("mask", visible), "k", "v", "mask", 0.7)
                        .output("y"));
    }

    @Test
    void a_causal_query_sees_the_past() {
        HostTensor visible = HostTensor.of(
                DataType.BOOL, new long[] {3, 5}, new long[] {1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1});
        TinyModel own = inputs(23)
                .input("past", DataType.FLOAT, -1, 2, 2, 4)
                .node("Attention", "q k v - past past", "y keys values", "is_causal", 1)
                .output("y")
                .output("keys");
        TinyModel plain = inputs(18)
                .input("past", DataType.FLOAT, -1, 2, 2, 4)
                .initializer("visible", visible)
                .node("Concat", "past k", "keys", "axis", 2)
                .node("Concat", "past v", "values", "axis", 2);
        assertSame(
                own, formula(plain, "keys", "values", "visible", 0).output("y").output("keys"));
    }

    @Test
    void joined_heads_that_share_keys() {
        TinyModel own = new TinyModel(23)
                .input("q", DataType.FLOAT, -1, 3, 8)
                .input("k", DataType.FLOAT, -1, 3, 4)
                .node("Attention", "q k k", "y", "q_num_heads", 4, "kv_num_heads", 2, "scale", 0.5f)
                .output("y");
        TinyModel plain = new TinyModel(18)
                .input("q", DataType.FLOAT, -1, 3, 8)
                .input("k", DataType.FLOAT, -1, 3, 4)
                .initializer("four", HostTensor.vector(0, 0, 4, 2))
                .initializer("two", HostTensor.vector(0, 0, 2, 2))
                .initializer("order", HostTensor.vector(0, 0, 1, 1))
                .initializer("joined", HostTensor.vector(0, 0, 8))
                .initializer("scale", real(0.5))
                .node("Reshape", "q four", "q4")
                .node("Transpose", "q4", "qh", "perm", new long[] {0, 2, 1, 3})
                .node("Reshape", "k two", "k4")
                .node("Transpose", "k4", "kh", "perm", new long[] {0, 2, 1, 3})
                .node("Gather", "kh order", "shared", "axis", 1)
                .node("Transpose", "shared", "kt", "perm", new long[] {0, 1, 3, 2})
                .node("MatMul", "qh kt", "raw")
                .node("Mul", "raw scale", "scores")
                .node("Softmax", "scores", "weights", "axis", -1)
                .node("MatMul", "weights shared", "heads")
                .node("Transpose", "heads", "turned", "perm", new long[] {0, 2, 1, 3})
                .node("Reshape", "turned joined", "y")
                .output("y");
        assertSame(own, plain);
    }

    @Test
    void rotation_by_positions_and_by_angles_of_every_token() {
        for (boolean positions : new boolean[] {true, false}) {
            for (int interleaved : new int[] {0, 1}) {
                HostTensor table = HostTensor.of(DataType.FLOAT, new long[] {6, 2}, new double[] {
                    1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0, -0.1
                });
                TinyModel own = new TinyModel(23)
                        .input("x", DataType.FLOAT, -1, 3, 8)
                        .input("position_ids", DataType.LONG, -1, 3)
                        .initializer("table", table);
                TinyModel fused = new TinyModel(18)
                        .input("x", DataType.FLOAT, -1, 3, 8)
                        .input("position_ids", DataType.LONG, -1, 3)
                        .initializer("table", table)
                        .node(
                                "com.microsoft:RotaryEmbedding",
                                "x position_ids table table",
                                "y",
                                "num_heads",
                                2,
                                "interleaved",
                                interleaved)
                        .output("y");
                if (positions) {
                    own.node(
                            "RotaryEmbedding",
                            "x table table position_ids",
                            "y",
                            "num_heads",
                            2,
                            "interleaved",
                            interleaved);
                } else {
                    own.node("Gather", "table position_ids", "angles")
                            .node(
                                    "RotaryEmbedding",
                                    "x angles angles",
                                    "y",
                                    "num_heads",
                                    2,
                                    "interleaved",
                                    interleaved);
                }
                assertSame(own.output("y"), fused);
            }
        }
    }

    @Test
    void scores_as_output_after_capping_are_refused() {
        Path file = inputs(23)
                .node("Attention", "q k v", "y - - scores", "qk_matmul_output_mode", 2)
                .output("y")
                .output("scores")
                .write(folder);
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("in mode 2");
    }
}
