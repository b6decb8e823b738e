package dev.samediff.adapters.io;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class SafetensorsTest {
    @TempDir
    Path folder;

    @Test
    void every_type_and_layout_round_trips() throws IOException {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        INDArray base = Nd4j.arange(24).castTo(DataType.FLOAT).subi(11).divi(4).reshape(4, 6);
        tensors.put("f32", base);
        tensors.put("transposed", base.transpose());
        tensors.put("f64", base.castTo(DataType.DOUBLE));
        tensors.put("f16", base.castTo(DataType.HALF));
        tensors.put("bf16", base.castTo(DataType.BFLOAT16));
        tensors.put("i64", base.castTo(DataType.INT64));
        tensors.put("i32", base.castTo(DataType.INT32));
        tensors.put("bool", base.gt(0));
        tensors.put("scalar", Nd4j.scalar(2.5f));
        Path file = folder.resolve("x.safetensors");
        new Safetensors(tensors, Safetensors.PYTORCH).write(file);
        Safetensors back = Safetensors.read(file);
        assertThat(back.metadata()).isEqualTo(Safetensors.PYTORCH);
        assertThat(back.tensors().keySet()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
        tensors.forEach((name, array) ->
                assertThatBits(back.tensors().get(name)).as(name).isEqualTo(array));
    }

    @Test
    void the_layout_is_that_of_the_format() throws IOException {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put("b", Nd4j.createFromArray(1f, 2f));
        tensors.put("a", Nd4j.createFromArray(3f));
        tensors.put("z", Nd4j.createFromArray(7L));
        ByteBuffer bytes = ByteBuffer.wrap(write(tensors)).order(ByteOrder.LITTLE_ENDIAN);
        int headerLength = (int) bytes.getLong(0);
        assertThat(headerLength % 8).isZero();
        String header = new String(bytes.array(), 8, headerLength, StandardCharsets.UTF_8);
        assertThat(header.strip())
                .isEqualTo("{\"__metadata__\":{\"format\":\"pt\"},"
                        + "\"z\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
                        + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},"
                        + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}");
        assertThat(bytes.getFloat(8 + headerLength + 8)).isEqualTo(3f);
        assertThat(bytes.capacity()).isEqualTo(8 + headerLength + 20);
    }

    @Test
    void real_adapter_files_round_trip_byte_for_byte() throws IOException {
        Path golden = Path.of(System.getProperty("shared.dir", "shared")).resolve("golden");
        assumeTrue(Files.isDirectory(golden), () -> "no golden files in " + golden);
        List<Path> files;
        try (Stream<Path> walk = Files.walk(golden)) {
            files = walk.filter(p -> p.toString().endsWith(".safetensors")).toList();
        }
        assertThat(files).isNotEmpty();
        for (Path file : files) {
            ByteArrayOutputStream again = new ByteArrayOutputStream();
            Safetensors.read(file).writeTo(again);
            assertThat(canonical(again.toByteArray()))
                    .as(file.toString())
                    .isEqualTo(canonical(Files.readAllBytes(file)));
        }
    }

    /** JSON white space and field order are the writer's choice; data and their places are not. */
    private static String canonical(byte[] file) {
        int header = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        byte[] data = java.util.Arrays.copyOfRange(file, 8 + header, file.length);
        return java.util.HexFormat.of().formatHex(data);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}} | 4 | needs 8 bytes",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}} | 8 | starts at byte 4",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} | 5 | need 4 bytes",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} | 3 | truncated",
                "{\"a\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}} | 4 | F99",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}} | 4 | shape",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}} | 4 | larger",
                "{\"a\":1,\"a\":2} | 0 | Duplicate",
                "[1] | 0 | JSON object",
                "{\"a\" | 0 | JSON",
                "{\"__metadata__\":{\"x\":1}} | 0 | string",
            })
    void a_header_that_breaks_a_rule_is_refused(String header, int data, String reason) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + data).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        Path file = folder.resolve("bad.safetensors");
        Files.write(file, bytes.array());
        assertThatThrownBy(() -> Safetensors.read(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("bad.safetensors")
                .hasMessageContaining(reason);
    }

    @Test
    void a_changed_or_shortened_file_is_read_or_refused_and_nothing_else() throws IOException {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put("lora_A", Nd4j.arange(12).castTo(DataType.FLOAT).reshape(3, 4));
        tensors.put("lora_B", Nd4j.arange(6).castTo(DataType.FLOAT).reshape(2, 3));
        byte[] valid = write(tensors);
        Path file = folder.resolve("fuzz.safetensors");
        Random random = new Random(7);
        int refused = 0;
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = random.nextInt(4) == 0
                    ? java.util.Arrays.copyOf(valid, random.nextInt(valid.length + 20))
                    : valid.clone();
            for (int k = random.nextInt(4); k > 0 && bytes.length > 0; k--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Files.write(file, bytes);
            try {
                Safetensors.read(file);
            } catch (InvalidInputException e) {
                refused++;
            }
        }
        assertThat(refused).isBetween(500, 1999);
    }

    private static byte[] write(Map<String, INDArray> tensors) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new Safetensors(tensors, Safetensors.PYTORCH).writeTo(out);
        return out.toByteArray();
    }
}
