package dev.samediff.importer.fuzz;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.HostileFiles;
import dev.samediff.adapters.testing.Mutations;
import dev.samediff.importer.ModelImporter;
import dev.samediff.importer.TensorFlowImporter;
import dev.samediff.importer.TinyModel;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensorflow.GraphWriter;
import dev.samediff.importer.tensorflow.GraphWriter.Weights;
import dev.samediff.importer.tensorflow.SavedModels;
import dev.samediff.importer.tensorflow.TensorFlowModels;
import dev.samediff.importer.tensorflow.TensorFlowRuntime;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import onnx.Onnx.ModelProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.shade.protobuf.CodedOutputStream;
import org.nd4j.shade.protobuf.Message;
import org.tensorflow.framework.GraphDef;
import org.tensorflow.framework.SavedModel;
import org.tensorflow.framework.TensorInfo;

/**
 * Frozen graphs, SavedModel folders and ONNX models with their data beside them are imported, or refused in a sentence, whatever was done to
 * one of their files. Longer: {@code -Dmutations=2000}. ({@link ImportFuzzTest} has ONNX models alone, {@code -Dfuzz.count=20000}.)
 */
class HostileModelTest {
    /** An import takes a tenth of a second. */
    private static final int SLOWER = 3;

    @TempDir
    Path folder;

    private static HostileFiles.Mutation messages(Message kind) {
        return (name, bytes, random) -> name.endsWith(".pb") && random.nextInt(3) > 0
                ? new MessageMutation(random).apply(bytes, kind)
                : Mutations.of(name, bytes, random);
    }

    @Test
    void a_changed_frozen_graph_is_imported_or_refused() throws IOException {
        Path graph = TensorFlowModels.GPT2.frozen(folder);
        new HostileFiles("TensorFlow, frozen graph", graph, folder)
                .read(HostileFiles.count() / SLOWER, messages(GraphDef.getDefaultInstance()), ModelImporter::load);
    }

    /** Of a known message and of one that is skipped, at the beginning of the file and behind much of it. */
    @ParameterizedTest
    @ValueSource(ints = {Integer.MAX_VALUE, Integer.MAX_VALUE - 7, Integer.MAX_VALUE - 5000, 1 << 30})
    void lengths_that_overflow_with_their_place_are_refused(int length) throws IOException {
        Path graph = folder.resolve("lengths.pb");
        for (int field : new int[] {1, 15}) {
            for (int before : new int[] {0, 20, 5000, 70_000}) {
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                CodedOutputStream out = CodedOutputStream.newInstance(bytes);
                for (int i = 0; i < before; i++) {
                    out.writeInt32(9, 1);
                }
                out.writeTag(field, 2);
                out.writeUInt32NoTag(length);
                out.flush();
                bytes.write(new byte[9000]);
                Files.write(graph, bytes.toByteArray());
                assertThatThrownBy(() -> TensorFlowImporter.load(graph))
                        .as("field %s behind %s others", field, before)
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("not a complete TensorFlow file");
            }
        }
    }

    @Test
    void a_changed_saved_model_is_imported_or_refused() throws IOException {
        TensorFlowRuntime.require();
        GraphWriter writer = TensorFlowModels.GPT2.writer(Weights.RESOURCE, Map.of());
        Map<String, TensorInfo> ids = Map.of(
                "input_ids", SavedModels.info("input_ids:0", org.tensorflow.framework.DataType.DT_INT32, -1, -1));
        Map<String, TensorInfo> scores =
                Map.of("scores", SavedModels.info("logits:0", org.tensorflow.framework.DataType.DT_FLOAT, -1, -1, -1));
        Path saved = SavedModels.write(folder.resolve("saved"), writer.graph(), writer.values(), Map.of(), ids, scores);
        new HostileFiles("TensorFlow, SavedModel folder", saved, folder)
                .read(HostileFiles.count() / SLOWER, messages(SavedModel.getDefaultInstance()), path -> {
                    TensorFlowImporter.inspect(path);
                    TensorFlowImporter.load(path);
                });
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    @Test
    void a_changed_model_with_external_data_is_imported_or_refused() throws IOException {
        Path model = Files.createDirectory(folder.resolve("external"));
        TensorProto tensor = TensorProto.newBuilder()
                .setName("w")
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addDims(4)
                .addDims(3)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", "weights.data"))
                .addExternalData(entry("offset", "16"))
                .addExternalData(entry("length", "48"))
                .build();
        ModelProto proto = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer(tensor)
                .initializer("b", HostTensor.filled(DataType.FLOAT, new long[] {3}, 0.5))
                .node("MatMul", "x w", "h")
                .node("Add", "h b", "y")
                .output("y", DataType.FLOAT, -1, 3)
                .proto();
        Files.write(model.resolve("model.pb"), proto.toByteArray()); // by this name it is changed as a message
        Files.write(model.resolve("weights.data"), new byte[64]);
        new HostileFiles("ONNX with external data", model, folder)
                .read(HostileFiles.count(), messages(ModelProto.getDefaultInstance()), path -> {
                    Path onnx = path.resolve("model.onnx");
                    Files.deleteIfExists(onnx);
                    Files.copy(path.resolve("model.pb"), onnx);
                    ModelImporter.load(onnx);
                });
    }
}
