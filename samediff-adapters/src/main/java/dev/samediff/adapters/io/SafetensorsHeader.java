package dev.samediff.adapters.io;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The JSON header of a safetensors file, checked by the rules of the format. */
record SafetensorsHeader(List<Entry> entries, Map<String, String> metadata) {
    /** The format's upper bound of the header, in bytes. */
    static final long MAX_BYTES = 100_000_000;

    private static final int MAX_DIMENSIONS = 32;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .build();

    /** One tensor: bytes {@code [begin, end)} of the data part. */
    record Entry(String name, SafetensorsType type, long[] shape, long begin, long end) {
        static Comparator<Entry> fileOrder() {
            return Comparator.comparingInt((Entry e) -> -e.type().bytes()).thenComparing(Entry::name);
        }
    }

    /** A header that breaks a rule; the message completes the sentence "cannot read FILE: ...". */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String message) {
            super(message);
        }
    }

    /** Parses and checks a header against the length of the data part that follows it. */
    static SafetensorsHeader parse(byte[] json, long dataLength) throws Malformed {
        JsonNode root;
        try {
            root = JSON.readTree(new String(json, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new Malformed("its header is not valid JSON (" + JsonReason.of(e) + ")");
        }
        if (json.length == 0 || json[0] != '{' || !root.isObject()) {
            throw new Malformed("its header is not a JSON object");
        }
        List<Entry> entries = new ArrayList<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            if (field.getKey().equals("__metadata__")) {
                readMetadata(field.getValue(), metadata);
            } else {
                entries.add(entry(field.getKey(), field.getValue()));
            }
        }
        requireContiguous(entries, dataLength);
        return new SafetensorsHeader(entries, metadata);
    }

    private static void readMetadata(JsonNode node, Map<String, String> into) throws Malformed {
        if (!node.isObject()) {
            throw new Malformed("__metadata__ is not an object of strings");
        }
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            if (!field.getValue().isTextual()) {
                throw new Malformed("__metadata__ `" + field.getKey() + "` is not a string");
            }
            into.put(field.getKey(), field.getValue().textValue());
        }
    }

    private static Entry entry(String name, JsonNode node) throws Malformed {
        JsonNode dtype = node.path("dtype");
        SafetensorsType type = SafetensorsType.named(dtype.asText());
        if (type == null) {
            throw new Malformed("the tensor `" + name + "` has the data type " + dtype + "; known are "
                    + List.of(SafetensorsType.values()));
        }
        long[] shape = numbers(name, "shape", node.path("shape"));
        if (shape.length > MAX_DIMENSIONS) {
            throw new Malformed("the tensor `" + name + "` has " + shape.length + " dimensions; ND4J has at most "
                    + MAX_DIMENSIONS);
        }
        long[] offsets = numbers(name, "data_offsets", node.path("data_offsets"));
        long bytes = type.bytes();
        for (long size : shape) {
            try {
                bytes = Math.multiplyExact(bytes, size);
            } catch (ArithmeticException e) {
                throw new Malformed("the tensor `" + name + "` is larger than any file");
            }
        }
        if (offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] - offsets[0] != bytes) {
            throw new Malformed("the tensor `" + name + "` needs " + bytes + " bytes but its data_offsets are "
                    + node.path("data_offsets"));
        }
        return new Entry(name, type, shape, offsets[0], offsets[1]);
    }

    private static long[] numbers(String name, String field, JsonNode node) throws Malformed {
        if (!node.isArray()) {
            throw new Malformed("the tensor `" + name + "` has no " + field);
        }
        long[] values = new long[node.size()];
        for (int i = 0; i < values.length; i++) {
            JsonNode value = node.get(i);
            if (!value.canConvertToLong() || !value.isIntegralNumber() || value.longValue() < 0) {
                throw new Malformed("the tensor `" + name + "` has the " + field + " " + node);
            }
            values[i] = value.longValue();
        }
        return values;
    }

    private static void requireContiguous(List<Entry> entries, long dataLength) throws Malformed {
        List<Entry> byOffset = new ArrayList<>(entries);
        byOffset.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long next = 0;
        for (Entry entry : byOffset) {
            if (entry.begin() != next) {
                throw new Malformed("the tensor `" + entry.name() + "` starts at byte " + entry.begin()
                        + " of the data, " + "not at " + next + " where the one before it ends");
            }
            next = entry.end();
        }
        if (next != dataLength) {
            throw new Malformed("its tensors need " + next + " bytes of data but " + dataLength
                    + " follow the header; the file is truncated or has something behind its end");
        }
    }

    /** Returns the header as the format's own writer lays it out: padded with spaces to a multiple of 8 bytes. */
    byte[] toBytes() {
        ObjectNode root = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode node = root.putObject("__metadata__");
            metadata.forEach(node::put);
        }
        for (Entry entry : entries) {
            ObjectNode node = root.putObject(entry.name());
            node.put("dtype", entry.type().name());
            ArrayNode shape = node.putArray("shape");
            for (long size : entry.shape()) {
                shape.add(size);
            }
            node.putArray("data_offsets").add(entry.begin()).add(entry.end());
        }
        byte[] text = root.toString().getBytes(StandardCharsets.UTF_8);
        byte[] padded = java.util.Arrays.copyOf(text, (text.length + 7) / 8 * 8);
        java.util.Arrays.fill(padded, text.length, padded.length, (byte) ' ');
        return padded;
    }
}
