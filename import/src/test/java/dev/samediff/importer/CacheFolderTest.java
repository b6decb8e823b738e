package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.fixture.OnnxFiles;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import onnx.Onnx.ModelProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** Models as huggingface_hub lays them down: {@code snapshots/<revision>/model.onnx} and its data are links to {@code blobs}. */
class CacheFolderTest {
    @TempDir
    Path cache;

    private Path snapshot;
    private Path blobs;

    @BeforeEach
    void lay_down() throws IOException {
        snapshot = Files.createDirectories(cache.resolve("snapshots/rev/onnx"));
        blobs = Files.createDirectories(cache.resolve("blobs"));
        ByteBuffer numbers = ByteBuffer.allocate(4 * 24).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 24; i++) {
            numbers.putFloat((float) Math.cos(i));
        }
        Files.write(blobs.resolve("bbb2"), numbers.array());
        ModelProto.Builder model = new TinyModel(17)
                        .input("x", DataType.FLOAT, -1, 4)
                        .initializer("w", HostTensor.filled(DataType.FLOAT, new long[] {4, 6}, 0))
                        .node("MatMul", "x w", "y")
                        .output("y", DataType.FLOAT, -1, 6)
                        .proto()
                        .toBuilder();
        model.getGraphBuilder()
                .setInitializer(
                        0,
                        TensorProto.newBuilder()
                                .setName("w")
                                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                                .addDims(4)
                                .addDims(6)
                                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                                .addExternalData(StringStringEntryProto.newBuilder()
                                        .setKey("location")
                                        .setValue("model.onnx_data")));
        OnnxFiles.write(model.build(), blobs.resolve("aaa1"));
        Files.createSymbolicLink(snapshot.resolve("model.onnx"), Path.of("../../../blobs/aaa1"));
    }

    @Test
    void data_that_a_link_beside_the_model_leads_to_are_read() throws IOException {
        Files.createSymbolicLink(snapshot.resolve("model.onnx_data"), Path.of("../../../blobs/bbb2"));
        ImportedModel model = OnnxImporter.load(snapshot.resolve("model.onnx"));
        assertThat(model.graph()
                        .getVariable(model.linearLayers().get(0).weight())
                        .getArr()
                        .getDouble(0, 1))
                .isEqualTo(Math.cos(1), org.assertj.core.data.Offset.offset(1e-6));
    }

    @Test
    void data_beside_the_file_that_the_model_is_a_link_to_are_read() throws IOException {
        Files.move(blobs.resolve("bbb2"), blobs.resolve("model.onnx_data"));
        assertThat(OnnxImporter.load(snapshot.resolve("model.onnx")).linearLayers())
                .hasSize(1);
    }

    @Test
    void links_to_anywhere_else_are_refused() throws IOException {
        Path elsewhere = Files.createDirectories(cache.resolve("elsewhere"));
        Files.move(blobs.resolve("bbb2"), elsewhere.resolve("secret"));
        Files.createSymbolicLink(snapshot.resolve("model.onnx_data"), elsewhere.resolve("secret"));
        assertThatThrownBy(() -> OnnxImporter.load(snapshot.resolve("model.onnx")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("model.onnx_data")
                .hasMessageContaining("a link to a file that lies neither");
    }
}
