package dev.samediff.samples.bench.network;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The beginning of a safetensors file whose numbers are written as they are made: a length and a JSON header. */
public final class SafetensorsHead {
    private static final int ALIGNMENT = 8;

    private final ObjectNode header = JsonNodeFactory.instance.objectNode();
    private long end;

    /**
     * Declares the next tensor.
     *
     * @param name its name
     * @param dtype such as {@code F32}
     * @param shape its shape
     * @param bytes how many it takes
     */
    public void add(String name, String dtype, List<Long> shape, long bytes) {
        ObjectNode tensor = header.putObject(name).put("dtype", dtype);
        shape.forEach(tensor.withArray("shape")::add);
        tensor.putArray("data_offsets").add(end).add(end + bytes);
        end += bytes;
    }

    /** Returns the bytes before the numbers, which start at a multiple of 8. */
    public byte[] bytes() {
        String json = header.toString();
        int padding = -json.length() & (ALIGNMENT - 1);
        byte[] text = (json + " ".repeat(padding)).getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Long.BYTES + text.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text)
                .array();
    }

    /** Returns the size of the whole file. */
    public long size() {
        return bytes().length + end;
    }
}
