package dev.samediff.importer.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.PendingFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models with a data file: whose files are replaced and removed, and what a killed writer leaves. */
class ModelOutputTest {
    private static final int SIZE = 4096;
    private static final String KEY = "samediff_adapters.data_file";

    @TempDir
    Path temporary;

    private Path folder = Path.of("");
    private Path source = Path.of("");

    @BeforeEach
    void makeSource() throws IOException {
        folder = Files.createDirectory(temporary.toRealPath().resolve("models"));
        source = Files.createDirectory(temporary.toRealPath().resolve("source")).resolve("source.onnx");
        Files.write(source.resolveSibling("weights.bin"), bytes(1));
    }

    private static byte[] bytes(int value) {
        ByteBuffer bytes = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            bytes.putFloat(value);
        }
        return bytes.array();
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static TensorProto external(String name, String location) {
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addDims(SIZE / 4)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", location))
                .addExternalData(entry("offset", "0"))
                .addExternalData(entry("length", Integer.toString(SIZE)))
                .build();
    }

    private static ModelProto model(String... locations) {
        GraphProto.Builder graph = GraphProto.newBuilder().setName("g");
        for (int i = 0; i < locations.length; i++) {
            graph.addInitializer(external("w" + i, locations[i]));
        }
        return ModelProto.newBuilder()
                .setIrVersion(8)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
                .setGraph(graph)
                .build();
    }

    private void write(Path target) throws IOException {
        new ModelOutput(model("weights.bin"), new ExternalData(source), Map.of()).write(target);
    }

    private void writeWithoutData(Path target) throws IOException {
        new ModelOutput(model(), new ExternalData(source), Map.of()).write(target);
    }

    /** Returns the number that a written model holds; fails if it is not whole. */
    private static int read(Path model) throws IOException {
        TensorProto tensor = LeanModel.read(model).getGraph().getInitializer(0);
        TensorData data = new ExternalData(model).of("w0", tensor);
        List<Integer> numbers = new ArrayList<>();
        data.forEachPiece(1 << 10, (offset, piece) -> {
            ByteBuffer floats = piece.order(ByteOrder.LITTLE_ENDIAN);
            while (floats.hasRemaining()) {
                numbers.add((int) floats.getFloat());
            }
        });
        assertThat(numbers).hasSize(SIZE / 4).containsOnly(numbers.get(0));
        return numbers.get(0);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(path -> String.valueOf(path.getFileName()))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void the_data_file_of_the_model_before_is_replaced() throws IOException {
        Path target = folder.resolve("m.onnx");
        for (int i = 0; i < 4; i++) {
            write(target);
            assertThat(names()).containsExactly("m.onnx", i % 2 == 0 ? "m.onnx.data" : "m.onnx.data1");
            assertThat(read(target)).isEqualTo(1);
            assertThat(LeanModel.read(target).getMetadataPropsList()).hasSizeLessThanOrEqualTo(2);
        }
        writeWithoutData(target);
        assertThat(names()).containsExactly("m.onnx");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "out.onnx.data.d/../../victim/precious.txt",
                "out.onnx.data.d/../notes.txt",
                "out.onnx.data.backup",
                "out.onnx.data",
                "out.onnx.data7",
                "./out.onnx.data",
                "notes.txt",
                "../victim/precious.txt"
            })
    void files_that_somebodys_model_names_stay(String location) throws IOException {
        Path victim = Files.createDirectory(folder.resolveSibling("victim")).resolve("precious.txt");
        Files.createDirectory(folder.resolve("out.onnx.data.d"));
        List<Path> all = new ArrayList<>(List.of(victim));
        for (String name : List.of("notes.txt", "out.onnx.data", "out.onnx.data7", "out.onnx.data.backup")) {
            all.add(folder.resolve(name));
        }
        for (Path file : all) {
            Files.write(file, bytes(7));
        }
        Path target = folder.resolve("out.onnx");
        for (ModelProto hostile :
                List.of(model(location), claiming(model(location), location), claiming(model(), location))) {
            Files.write(target, hostile.toByteArray());
            write(target);
            writeWithoutData(target);
            assertThat(all).allSatisfy(file -> assertThat(file).exists());
        }
    }

    /** With a manifest that says we wrote the file, in a wrong sum. */
    private static ModelProto claiming(ModelProto model, String location) {
        return model.toBuilder()
                .addMetadataProps(entry(KEY, location + " " + SIZE + " 00000000"))
                .addMetadataProps(entry(KEY, location))
                .addMetadataProps(entry(KEY, ""))
                .build();
    }

    @Test
    void two_models_that_share_a_data_file_survive_the_replacement_of_one() throws IOException {
        Path one = folder.resolve("a.onnx");
        Path other = folder.resolve("b.onnx");
        Files.write(folder.resolve("a.onnx.data"), bytes(5)); // as torch names it
        Files.write(one, model("a.onnx.data").toByteArray());
        Files.write(other, model("a.onnx.data").toByteArray());
        write(one);
        assertThat(read(one)).isEqualTo(1);
        assertThat(read(other)).isEqualTo(5);
    }

    @Test
    void data_of_a_model_beside_it_are_not_replaced_by_a_model() throws IOException {
        Files.write(folder.resolve("a.onnx.data"), bytes(5));
        Files.write(folder.resolve("a.onnx"), model("a.onnx.data").toByteArray());
        Path link = Files.createSymbolicLink(folder.resolve("link.onnx"), Path.of("a.onnx.data"));
        for (Path target : List.of(folder.resolve("a.onnx.data"), link)) {
            assertThatThrownBy(() -> write(target))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("holds the data of the model")
                    .hasMessageContaining("name another file");
        }
        assertThat(read(folder.resolve("a.onnx"))).isEqualTo(5);
        assertThat(names()).containsExactly("a.onnx", "a.onnx.data", "link.onnx");
    }

    @ParameterizedTest
    @ValueSource(strings = {"copy.onnx", "COPY.ONNX", "a.copy.onnx"})
    void a_copy_of_our_own_model_that_names_its_data_keeps_it(String copy) throws IOException {
        Path one = folder.resolve("a.onnx");
        write(one);
        Files.copy(one, folder.resolve(copy));
        write(one);
        assertThat(read(folder.resolve(copy))).isEqualTo(1);
        Files.delete(folder.resolve(copy));
        write(one);
        assertThat(names()).as("now nobody needs them").containsExactly("a.onnx", "a.onnx.data2");
    }

    @Test
    void a_model_beside_it_that_cannot_be_read_may_name_it() throws IOException {
        Path one = folder.resolve("a.onnx");
        write(one);
        Files.writeString(folder.resolve("broken.onnx"), "no model");
        write(one);
        assertThat(names()).containsExactly("a.onnx", "a.onnx.data", "a.onnx.data1", "broken.onnx");
    }

    @Test
    void data_that_another_program_wrote_over_ours_stays() throws IOException {
        Path target = folder.resolve("m.onnx");
        write(target);
        Files.write(folder.resolve("m.onnx.data"), bytes(9));
        write(target);
        assertThat(folder.resolve("m.onnx.data")).hasBinaryContent(bytes(9));
        assertThat(read(target)).isEqualTo(1);
    }

    @Test
    void a_model_that_became_a_link_keeps_its_data_beside_the_real_file() throws IOException {
        Path real = Files.createDirectory(folder.resolve("real")).resolve("m.onnx");
        write(real);
        Path link = Files.createSymbolicLink(folder.resolve("link.onnx"), real);
        write(link);
        assertThat(link).isSymbolicLink();
        assertThat(read(real)).isEqualTo(1);
        assertThat(names()).containsExactly("link.onnx", "real");
        assertThat(Files.list(folder.resolve("real"))).hasSize(2);
    }

    @Test
    void a_folder_in_the_way_is_refused() throws IOException {
        Path target = Files.createDirectory(folder.resolve("m.onnx"));
        assertThatThrownBy(() -> write(target)).isInstanceOf(InvalidInputException.class);
        assertThat(names()).containsExactly("m.onnx");
    }

    /** What is on the disk if the writer is killed after its data has its name and before its model has. */
    @Test
    void the_data_of_a_writer_that_was_killed_before_its_model_was_there_is_removed_by_the_next() throws Exception {
        Path target = folder.resolve("m.onnx");
        write(target);
        Path second = Files.createDirectory(folder.resolveSibling("second")).resolve("m.onnx");
        Files.write(second.resolveSibling("m.onnx.data"), bytes(3)); // so that the next data file is m.onnx.data1
        write(second);
        Files.copy(second.resolveSibling("m.onnx.data1"), folder.resolve("m.onnx.data1"));
        PendingFile cutOff = PendingFile.open(target, (path, leftover) -> {});
        Path message = cutOff.temporary();
        cutOff.close();
        Files.copy(second, message);
        assertThat(read(target)).isEqualTo(1);
        assertThat(names()).hasSize(4).contains("m.onnx.data", "m.onnx.data1");
        writeWithoutData(target);
        assertThat(names()).containsExactly("m.onnx");
    }

    /** What is on the disk if the writer is killed after its model is there and before the old data is gone. */
    @Test
    void the_old_data_of_a_writer_that_was_killed_just_before_its_end_is_removed_by_the_next() throws IOException {
        Path target = folder.resolve("m.onnx");
        write(target);
        byte[] old = Files.readAllBytes(folder.resolve("m.onnx.data"));
        write(target);
        Files.write(folder.resolve("m.onnx.data"), old);
        write(target);
        assertThat(names()).containsExactly("m.onnx", "m.onnx.data2");
    }

    @Test
    void threads_that_write_one_model_neither_fail_nor_mix() throws Exception {
        int rounds = Integer.getInteger("races", 60) / 3;
        Path target = folder.resolve("m.onnx");
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Future<?>> writers = new ArrayList<>();
            for (int writer = 1; writer <= 3; writer++) {
                Path from = Files.createDirectory(folder.resolveSibling("from" + writer))
                        .resolve("source.onnx");
                Files.write(from.resolveSibling("weights.bin"), bytes(writer));
                writers.add(threads.submit(() -> {
                    for (int i = 0; i < rounds; i++) {
                        new ModelOutput(model("weights.bin"), new ExternalData(from), Map.of()).write(target);
                    }
                    return from;
                }));
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(read(target)).isBetween(1, 3);
        assertThat(names()).hasSize(2).noneMatch(name -> name.startsWith("."));
    }
}
