package dev.samediff.peers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads safetensors files. */
final class Tensors {
    private Tensors() {}

    /** Reads the tensors whose names start with a prefix, by the rest of their names. */
    static Map<String, NDArray> read(NDManager manager, Path file, String prefix) throws IOException {
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        try (FileChannel channel = FileChannel.open(file)) {
            long length = bytes(channel, 0, Long.BYTES).getLong();
            JsonObject header = JsonParser.parseString(StandardCharsets.UTF_8
                            .decode(bytes(channel, Long.BYTES, (int) length))
                            .toString())
                    .getAsJsonObject();
            for (Map.Entry<String, JsonElement> entry : header.entrySet()) {
                if (entry.getKey().startsWith(prefix) && !entry.getKey().equals("__metadata__")) {
                    JsonObject tensor = entry.getValue().getAsJsonObject();
                    JsonArray offsets = tensor.getAsJsonArray("data_offsets");
                    long begin = offsets.get(0).getAsLong();
                    ByteBuffer data = bytes(
                            channel, Long.BYTES + length + begin, (int) (offsets.get(1).getAsLong() - begin));
                    DataType type = tensor.get("dtype").getAsString().equals("I64") ? DataType.INT64 : DataType.FLOAT32;
                    tensors.put(
                            entry.getKey().substring(prefix.length()),
                            manager.create(data, shape(tensor.getAsJsonArray("shape")), type));
                }
            }
        }
        return tensors;
    }

    private static Shape shape(JsonArray sizes) {
        long[] shape = new long[sizes.size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = sizes.get(i).getAsLong();
        }
        return new Shape(shape);
    }

    private static ByteBuffer bytes(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new IOException("the file is too short");
            }
        }
        return buffer.flip();
    }
}
