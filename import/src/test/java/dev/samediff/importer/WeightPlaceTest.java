package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.importer.onnx.WeightPlace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.protobuf.ByteString;

/** Weights in files are the same weights, and everything that is made of them is the same to the bit. */
@EnabledOnOs(OS.LINUX)
class WeightPlaceTest {
    private static final int IN = 512;
    private static final int OUT = 640;

    @TempDir
    private Path folder;

    private Path directory;

    @BeforeEach
    void make_the_folder() throws IOException {
        directory = Files.createDirectory(folder.resolve("weights"));
    }

    private Path model(TensorProto.DataType type) throws IOException {
        return new TinyModel(17)
                .input("x", DataType.FLOAT, -1, IN)
                .initializer(tensor("first", type, IN, OUT))
                .initializer(tensor("second", type, OUT, IN))
                .node("Cast", "first", "first.wide", "to", TensorProto.DataType.FLOAT_VALUE)
                .node("Cast", "second", "second.wide", "to", TensorProto.DataType.FLOAT_VALUE)
                .node("MatMul", "x first.wide", "h")
                .node("MatMul", "h second.wide", "y")
                .output("y", DataType.FLOAT, -1, IN)
                .write(folder);
    }

    private static TensorProto tensor(String name, TensorProto.DataType type, int rows, int columns) {
        Random random = new Random(name.hashCode());
        ByteBuffer bytes = ByteBuffer.allocate(rows * columns * (type == TensorProto.DataType.FLOAT ? 4 : 2))
                .order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            float number = (float) (random.nextGaussian() / 20);
            switch (type) {
                case FLOAT -> bytes.putFloat(number);
                case FLOAT16 -> bytes.putShort(half(random));
                default -> bytes.putShort((short) (Float.floatToIntBits(number) >>> 16));
            }
        }
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(type.getNumber())
                .addDims(rows)
                .addDims(columns)
                .setRawData(ByteString.copyFrom(bytes.flip()))
                .build();
    }

    /** A number between 1/128 and 1/8, of either sign. */
    private static short half(Random random) {
        return (short) ((random.nextInt(2) << 15) | ((8 + random.nextInt(4)) << 10) | random.nextInt(1 << 10));
    }

    private ImportOptions inFile() {
        return ImportOptions.defaults().withWeightsInFile(directory);
    }

    private static INDArray weight(ImportedModel model, int layer) {
        return model.graph()
                .getVariable(model.linearLayers().get(layer).weight())
                .getArr();
    }

    @ParameterizedTest
    @EnumSource(
            value = TensorProto.DataType.class,
            names = {"FLOAT", "FLOAT16", "BFLOAT16"})
    void numbers_are_those_in_memory_and_no_file_is_seen(TensorProto.DataType type) throws IOException {
        Path file = model(type);
        ImportedModel memory = OnnxImporter.load(file);
        ImportedModel files = OnnxImporter.load(file, inFile());
        for (int layer = 0; layer < 2; layer++) {
            assertThat(FileBackedArrays.isOne(weight(files, layer))).isTrue();
            assertThat(FileBackedArrays.isOne(weight(memory, layer))).isFalse();
            assertThatBits(weight(files, layer)).isEqualTo(weight(memory, layer));
        }
        try (Stream<Path> entries = Files.list(directory)) {
            assertThat(entries).isEmpty();
        }
    }

    @Test
    void small_models_and_doubles_lie_in_memory() throws IOException {
        Path file = model(TensorProto.DataType.FLOAT);
        long bytes = 2L * IN * OUT * Float.BYTES;
        assertThat(FileBackedArrays.isOne(weight(
                        OnnxImporter.load(
                                file, ImportOptions.defaults().withWeights(WeightPlace.in(directory, bytes + 1))),
                        0)))
                .isFalse();
        assertThat(FileBackedArrays.isOne(weight(
                        OnnxImporter.load(file, ImportOptions.defaults().withWeights(WeightPlace.in(directory, bytes))),
                        0)))
                .isTrue();
        ImportedModel wide =
                OnnxImporter.load(file, ImportOptions.inDoublePrecision().withWeightsInFile(directory));
        assertThat(weight(wide, 0).dataType()).isEqualTo(DataType.DOUBLE);
        assertThat(FileBackedArrays.isOne(weight(wide, 0))).isFalse();
    }

    @Test
    void a_missing_folder_is_an_error_before_anything_is_read() {
        assertThatThrownBy(() -> ImportOptions.defaults().withWeightsInFile(folder.resolve("none")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("none")
                .hasMessageContaining("4 bytes");
    }

    @Test
    void a_folder_that_takes_no_file_leaves_the_weights_in_memory() throws IOException {
        Path file = model(TensorProto.DataType.FLOAT16);
        ImportedModel model = OnnxImporter.load(file, ImportOptions.defaults().withWeightsInFile(Path.of("/proc")));
        assertThat(FileBackedArrays.isOne(weight(model, 0))).isFalse();
        assertThatBits(weight(model, 0)).isEqualTo(weight(OnnxImporter.load(file), 0));
    }

    private static Engine.Gradients gradients(ImportedModel model, AdapterMethod method, Precision precision) {
        AdaptedModel adapted = AdaptedModel.inject(model, AdapterConfig.of(method));
        SameDiff graph = adapted.graph();
        String loss = graph.getVariable("y").norm2("loss").name();
        INDArray input = Nd4j.linspace(-1.0, 1.0, 4L * IN, DataType.FLOAT).reshape(4, IN);
        try (Engine engine = Engines.open(
                graph, loss, adapted.trainableNames(), EngineOptions.defaults().withPrecision(precision))) {
            return engine.gradients(Map.of("x", input));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Precision.class,
            names = {"FLOAT32", "BFLOAT16"})
    void adapters_and_their_gradients_are_the_same_to_the_bit(Precision precision) throws IOException {
        Path file = model(TensorProto.DataType.FLOAT16);
        for (AdapterMethod method : List.of(Lora.rank(4), Sorsa.rank(4))) {
            ImportedModel files = OnnxImporter.load(file, inFile());
            Engine.Gradients found = gradients(files, method, precision);
            assertThat(found.byName()).hasSizeGreaterThan(3);
            assertThatBits(found).isEqualTo(gradients(OnnxImporter.load(file), method, precision));
            assertThat(FileBackedArrays.isOne(weight(files, 0)))
                    .as("what the graph holds, a residual or not")
                    .isTrue();
        }
    }
}
