package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.fixture.Fixture;
import dev.samediff.importer.tensorflow.TensorFlowModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFormatTest {
    @TempDir
    Path folder;

    @Test
    void a_pb_file_is_told_by_its_content() throws IOException {
        Path frozen = TensorFlowModels.VIT.frozen(folder);
        Path onnx = Files.copy(Fixture.all().get(0).onnx(), folder.resolve("model.pb"));
        assertThat(ModelFormat.of(frozen)).isEqualTo(ModelFormat.TENSORFLOW);
        assertThat(ModelFormat.of(onnx)).isEqualTo(ModelFormat.ONNX);
        assertThat(ModelImporter.inspect(frozen).linearLayers()).isNotEmpty();
        assertThat(ModelImporter.load(onnx).linearLayers()).isNotEmpty();
    }

    @Test
    void a_folder_is_a_saved_model_and_text_a_graph() throws IOException {
        assertThat(ModelFormat.of(folder)).isEqualTo(ModelFormat.TENSORFLOW);
        Path text = Files.writeString(folder.resolve("graph.pbtxt"), "node {}");
        assertThat(ModelFormat.of(text)).isEqualTo(ModelFormat.TENSORFLOW);
        Path damaged = Files.writeString(folder.resolve("empty.onnx"), "");
        assertThat(ModelFormat.of(damaged)).isEqualTo(ModelFormat.ONNX);
    }

    @Test
    void what_is_missing_is_said_with_what_could_be_given() {
        assertThatThrownBy(() -> ModelImporter.load(folder.resolve("nosuch.pb")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("nosuch.pb does not exist")
                .hasMessageContaining("SavedModel");
    }
}
