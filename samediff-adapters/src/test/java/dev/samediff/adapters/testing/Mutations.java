package dev.samediff.adapters.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ContainerNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Changes files as a broken disk, a clumsy hand or an enemy would: bytes of anything, values of JSON, headers of safetensors. */
public final class Mutations {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long[] WHOLES = {
        0,
        1,
        -1,
        2,
        7,
        255,
        256,
        65535,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        1L << 31,
        1L << 32,
        1L << 40,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        Double.doubleToLongBits(Double.NaN),
        Double.doubleToLongBits(1e308),
        Float.floatToIntBits(Float.NaN)
    };
    private static final List<String> VALUES = List.of(
            "null",
            "true",
            "false",
            "0",
            "-1",
            "1",
            "2.5",
            "-0.0",
            "1e308",
            "1e999",
            "-1e-400",
            "2147483647",
            "2147483648",
            "-2147483648",
            "9223372036854775807",
            "99999999999999999999",
            "1" + "0".repeat(900),
            "\"\"",
            "\"x\"",
            "\"NaN\"",
            "\"\\u0000\\n\"",
            "\"\\ud800\"",
            "\"\ud83d\ude00\"",
            "\"../../../etc/passwd\"",
            "\"((.+)+)+!\"",
            "\"[\"",
            "\"" + "y".repeat(3000) + "\"",
            "[]",
            "{}",
            "[null]",
            "[[]]",
            "[0,0]",
            "[-1,4]",
            "[9223372036854775807,2]",
            "[1,2,3]",
            "{\"a\":1}",
            "{\"((.+)+)+!\":1}",
            "{\"\":null}",
            "[".repeat(900) + "]".repeat(900),
            "[".repeat(20_000));

    private Mutations() {}

    /** Returns a changed file; what it is, is told by its name's ending. */
    public static byte[] of(String name, byte[] bytes, Random random) {
        byte[] changed = bytes;
        for (int changes = random.nextInt(5) == 0 ? 2 : 1; changes > 0; changes--) {
            boolean structured = random.nextInt(3) > 0;
            if (structured && name.endsWith(".json")) {
                changed = utf8(json(text(changed), random));
            } else if (structured && name.endsWith(".jsonl")) {
                changed = lines(changed, random);
            } else if (structured && name.endsWith(".safetensors")) {
                changed = safetensors(changed, random);
            } else {
                changed = bytes(changed, random);
            }
        }
        return changed;
    }

    /** Returns changed bytes. */
    public static byte[] bytes(byte[] bytes, Random random) {
        if (bytes.length == 0) {
            return utf8(VALUES.get(random.nextInt(VALUES.size())));
        }
        int at = random.nextInt(bytes.length);
        int length = Math.min(bytes.length - at, 1 + random.nextInt(200));
        byte[] copy = bytes.clone();
        switch (random.nextInt(10)) {
            case 0, 1 -> copy[at] ^= (byte) (1 << random.nextInt(8));
            case 2 -> copy[at] = (byte) random.nextInt();
            case 3 -> Arrays.fill(copy, at, at + Math.min(length, 16), (byte) (random.nextBoolean() ? 0 : 0xff));
            case 4 -> {
                return Arrays.copyOf(bytes, at);
            }
            case 5 -> {
                byte[] noise = new byte[length];
                random.nextBytes(noise);
                return spliced(bytes, at, at, noise);
            }
            case 6 -> {
                return spliced(bytes, at, at + length, new byte[0]);
            }
            case 7 -> {
                return spliced(bytes, at, at, Arrays.copyOfRange(bytes, at, at + length));
            }
            case 8 -> { // a number, of four or eight bytes
                int width = random.nextBoolean() ? 8 : 4;
                if (bytes.length >= width) {
                    int place = random.nextInt(2) == 0 ? Math.min(at, bytes.length - width) : 0;
                    ByteBuffer number = ByteBuffer.allocate(8)
                            .order(random.nextInt(4) > 0 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN)
                            .putLong(0, WHOLES[random.nextInt(WHOLES.length)]);
                    System.arraycopy(number.array(), 0, copy, place, width);
                }
            }
            default -> System.arraycopy(bytes, random.nextInt(bytes.length - length + 1), copy, at, length);
        }
        return copy;
    }

    /** Returns a changed JSON text; what is no JSON any more is changed as characters are. */
    public static String json(String text, Random random) {
        JsonNode root;
        try {
            root = JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return text(bytes(utf8(text), random));
        }
        List<ContainerNode<?>> containers = new ArrayList<>();
        collect(root, containers);
        if (containers.isEmpty()) {
            return VALUES.get(random.nextInt(VALUES.size()));
        }
        String value = VALUES.get(random.nextInt(VALUES.size()));
        ContainerNode<?> container = containers.get(random.nextInt(containers.size()));
        if (container instanceof ArrayNode array) {
            change(array, random);
        } else {
            value = change((ObjectNode) container, value, random);
        }
        String changed = root.toString();
        int mark = changed.indexOf("\"@\"");
        return mark < 0 ? changed : changed.substring(0, mark) + value + changed.substring(mark + 3);
    }

    /** Changes an array; {@code "@"} stands where a value goes. */
    private static void change(ArrayNode array, Random random) {
        int at = array.isEmpty() ? 0 : random.nextInt(array.size());
        switch (array.isEmpty() ? 0 : random.nextInt(5)) {
            case 0 -> array.add("@");
            case 1 -> array.remove(at);
            case 2 -> array.insert(at, array.get(at).deepCopy());
            case 3 -> {
                for (int i = 0; i < 50; i++) {
                    array.add(array.get(at).deepCopy());
                }
            }
            default -> array.set(at, "@");
        }
    }

    /** Changes an object; returns what goes in the place of {@code "@"}. */
    private static String change(ObjectNode object, String value, Random random) {
        List<String> keys = new ArrayList<>();
        object.fieldNames().forEachRemaining(keys::add);
        String key = keys.isEmpty() ? "" : keys.get(random.nextInt(keys.size()));
        switch (keys.isEmpty() ? 6 : random.nextInt(7)) {
            case 0 -> object.remove(key);
            case 1 -> { // the key twice
                JsonNode old = object.path(key);
                object.put(key, "@");
                return (old.isMissingNode() ? "1" : old.toString()) + ","
                        + JSON.getNodeFactory().textNode(key) + ":" + value;
            }
            case 2 -> { // under another name
                JsonNode old = object.remove(key);
                object.set(keys.get(random.nextInt(keys.size())) + (random.nextBoolean() ? "x" : ""), old);
            }
            case 3 ->
                object.set(
                        key, object.path(keys.get(random.nextInt(keys.size()))).deepCopy());
            default -> object.put(key, "@");
        }
        return value;
    }

    private static byte[] lines(byte[] bytes, Random random) {
        List<String> lines = new ArrayList<>(text(bytes).lines().toList());
        if (lines.isEmpty()) {
            return bytes(bytes, random);
        }
        int at = random.nextInt(lines.size());
        switch (random.nextInt(6)) {
            case 0 -> lines.remove(at);
            case 1 -> lines.add(at, lines.get(random.nextInt(lines.size())));
            default -> lines.set(at, json(lines.get(at), random));
        }
        return utf8(String.join(random.nextInt(8) == 0 ? "\r\n" : "\n", lines));
    }

    /** Changes the header, with its length put right, or the length alone. */
    private static byte[] safetensors(byte[] bytes, Random random) {
        if (bytes.length < 8) {
            return bytes(bytes, random);
        }
        long length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 0 || length > bytes.length - 8) {
            return bytes(bytes, random);
        }
        byte[] header = Arrays.copyOfRange(bytes, 8, 8 + (int) length);
        byte[] changed = utf8(json(text(header), random));
        long said = random.nextInt(10) == 0 ? WHOLES[random.nextInt(WHOLES.length)] : changed.length;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(said)
                .array());
        out.writeBytes(changed);
        out.write(bytes, 8 + (int) length, bytes.length - 8 - (int) length);
        return out.toByteArray();
    }

    private static void collect(JsonNode node, List<ContainerNode<?>> into) {
        if (node instanceof ContainerNode<?> container) {
            into.add(container);
            container.forEach(child -> collect(child, into));
        }
    }

    private static byte[] spliced(byte[] bytes, int from, int to, byte[] middle) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(bytes, 0, from);
        out.writeBytes(middle);
        out.write(bytes, to, bytes.length - to);
        return out.toByteArray();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
