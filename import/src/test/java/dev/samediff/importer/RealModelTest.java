package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models other people exported; they lie outside the project, and without them these tests are skipped. */
class RealModelTest {
    private static Path model(String name) {
        Path file = Path.of(System.getProperty("shared.dir", "../../shared"), "models", name);
        assumeTrue(Files.exists(file), () -> "the collection of real models is not here: no " + file);
        return file;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "capp-gpt/model.onnx",
                "tinybert/tinybert.onnx",
                "onnxruntime-test/attention_int32_mask.onnx",
                "onnxruntime-test/attention_symbolic_batch.onnx",
                "onnxruntime-test/TFBertForQuestionAnswering.onnx",
            })
    void outputs_are_those_of_onnx_runtime(String name) {
        Verification verification = OnnxVerifier.verify(model(name), 1e-4, 3);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    @Test
    void a_decoder_accepts_an_empty_cache() {
        Path file = model("capp-gpt/model.onnx");
        List<InputSizes> empty = List.of(new InputSizes(2, 5, 0));
        Verification verification = OnnxVerifier.verify(file, OnnxImporter.load(file), empty, 1e-4, 3);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    @Test
    void an_operator_that_is_no_part_of_a_transformer_is_refused_by_name() {
        Path file = model("onnxruntime-test/tiny_gpt2_beamsearch.onnx");
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("BeamSearch");
    }
}
