package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** What loading refuses, inspecting reports, with the same reason. */
class InspectAgreesTest {
    @TempDir
    Path folder;

    private static TinyModel model() {
        return new TinyModel(13)
                .input("x", DataType.FLOAT, -1, 4)
                .input("n", DataType.LONG, 1)
                .initializer("zero", HostTensor.of(DataType.LONG, new long[0], new long[] {0}));
    }

    private static Map<String, TinyModel> refused() {
        Map<String, TinyModel> models = new LinkedHashMap<>();
        models.put("NonZero", model().node("NonZero", "x", "y"));
        models.put("TopK", model().node("TopK", "x n", "y places"));
        models.put("Div", model().node("Div", "n zero", "y"));
        models.put(
                "Einsum", model().input("s", DataType.FLOAT, 4, 4).node("Einsum", "s", "y", "equation", "ii->i"));
        models.put("Hardmax", new TinyModel(11).input("x", DataType.FLOAT, 2, 3, 4).node("Hardmax", "x", "y"));
        models.put("Pad", model().initializer("pads", HostTensor.vector(0, 1, 0, 1)).node("Pad", "x pads", "y", "mode", "odd"));
        return models;
    }

    @TestFactory
    Stream<DynamicTest> a_use_that_cannot_be_imported_is_reported() {
        return refused().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    Path file = entry.getValue().output("y").write(folder);
                    ImportReport report = OnnxImporter.inspect(file);
                    assertThat(report.isSupported()).isFalse();
                    assertThat(report.unsupported()).containsOnlyKeys(entry.getKey());
                    assertThatThrownBy(() -> OnnxImporter.load(file))
                            .isInstanceOf(InvalidInputException.class)
                            .hasMessageContaining(report.reason(entry.getKey()));
                }));
    }

    @Test
    void a_model_that_can_be_imported_is_not_reported() {
        Path file = model().node("Mul", "x x", "y").output("y").write(folder);
        assertThat(OnnxImporter.inspect(file).isSupported()).isTrue();
        assertThat(OnnxImporter.load(file).graph().hasVariable("y")).isTrue();
    }
}
