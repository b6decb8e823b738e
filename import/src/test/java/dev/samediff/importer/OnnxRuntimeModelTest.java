package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.fixture.Fixture;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The fixtures themselves: ONNX Runtime computes what torch computed. */
class OnnxRuntimeModelTest {
    static List<Fixture> fixtures() {
        return Fixture.all();
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void onnx_runtime_gives_the_logits_of_torch(Fixture fixture) {
        try (OnnxRuntimeModel model = new OnnxRuntimeModel(fixture.onnx())) {
            for (Fixture.Sample sample : fixture.samples()) {
                Verification.Comparison comparison = Verification.Comparison.of(
                        "",
                        "logits",
                        sample.logits(),
                        Objects.requireNonNull(model.run(sample.inputs()).get("logits")));
                assertThat(comparison.absolute()).as(comparison.toString()).isLessThan(1e-5);
            }
        }
    }
}
