package dev.samediff.dl4j;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.StoredShape;
import java.io.DataInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.shape.options.ArrayOptionsHelper;
import org.nd4j.linalg.exception.ND4JUnknownDataTypeException;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/**
 * A zip of a network, looked at before DL4J reads it, and in the way it does: entry after entry from the beginning, by the headers before
 * them. The table at a zip's end may name other entries than there are.
 *
 * @param packages beginnings of names of classes that may be made
 */
record NetworkZip(Path zip, List<String> packages) {
    private static final String CONFIGURATION = "configuration.json";
    private static final String PARAMETERS = "coefficients.bin";
    private static final String UPDATER = "updaterState.bin";
    private static final Set<String> ENTRIES =
            Set.of(CONFIGURATION, PARAMETERS, UPDATER, "noParams.marker", "normalizer.bin", "trainingConfig.bin");
    private static final int LONGEST_CONFIGURATION = 16 << 20;

    /** Parameters are packed to nine tenths, new ones of a few layers' zeros to less. */
    private static final long MOST_PACKED = 50;

    private static final long SMALL = 64 << 20;

    /** No updater has more numbers for each parameter; at first they are all 0, and are packed to a thousandth. */
    private static final long MOST_STATES = 4;

    private static final int MOST_DIMENSIONS = 32;

    /** Of two equal keys DL4J's reader takes the first one's class, and a tree the second one's. */
    private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    /**
     * Looks at every entry.
     *
     * @throws InvalidInputException if it is no zip, is damaged, or has what is not loaded
     */
    void check() {
        Set<String> names = new HashSet<>();
        long[] parameters = {0};
        try (ZipInputStream in = new ZipInputStream(Files.newInputStream(zip))) {
            long most = Math.max(SMALL, MOST_PACKED * Files.size(zip));
            for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                String name = entry.getName();
                requireKnown(name);
                if (!names.add(name)) {
                    throw new InvalidInputException(zip + " holds `" + name + "` twice; save the network again");
                }
                Counted counted = new Counted(
                        in, name.equals(UPDATER) ? Math.max(most, MOST_STATES * parameters[0] + SMALL) : most);
                look(counted, name);
                counted.transferTo(OutputStream.nullOutputStream());
                parameters[0] = name.equals(PARAMETERS) ? counted.count : parameters[0];
            }
        } catch (InvalidInputException e) {
            throw e;
        } catch (IOException | IllegalArgumentException | StackOverflowError e) { // of JSON in JSON in JSON
            throw new InvalidInputException(zip + " is not a complete zip, or is damaged; copy it again", e);
        }
        if (!names.contains(CONFIGURATION)) {
            throw new InvalidInputException(
                    zip + " holds no " + CONFIGURATION + "; expected a zip that DL4J's ModelSerializer wrote");
        }
    }

    private void requireKnown(String name) {
        if (name.equals("preprocessor.bin")) {
            throw new InvalidInputException(
                    zip + " holds a serialised Java object, preprocessor.bin, and loading such objects runs"
                            + " code that the file chooses; save the network without its data normalisation, or load it with DL4J"
                            + " itself if you trust where it is from");
        }
        if (!ENTRIES.contains(name)) {
            throw new InvalidInputException(zip + " holds `" + name + "`, which is no part of a network; expected "
                    + ENTRIES.stream().sorted().toList());
        }
    }

    private void look(InputStream in, String name) throws IOException {
        if (name.equals(CONFIGURATION)) {
            byte[] json = in.readNBytes(LONGEST_CONFIGURATION);
            requireKnown(json.length < LONGEST_CONFIGURATION ? JSON.readTree(json) : null);
        } else if (name.equals(PARAMETERS) || name.equals(UPDATER)) {
            array(new DataInputStream(in), name);
        }
    }

    private void requireKnown(@org.jspecify.annotations.Nullable JsonNode json) {
        if (json == null || !json.isObject()) {
            throw new InvalidInputException(
                    zip + " has a configuration that is not an object of at most 16 MB; save it again");
        }
        requireKnownClasses(json);
    }

    private void requireKnownClasses(JsonNode node) {
        for (Iterator<Map.Entry<String, JsonNode>> fields = node.fields(); fields.hasNext(); ) {
            Map.Entry<String, JsonNode> field = fields.next();
            String name = field.getValue().asText();
            if (field.getKey().equals("@class") && packages.stream().noneMatch(name::startsWith)) {
                throw new InvalidInputException(
                        zip + " names the class `" + name + "` in its configuration; only classes of DL4J, ND4J"
                                + " and this library are made, and of packages that you name");
            }
        }
        node.forEach(this::requireKnownClasses);
    }

    /** An array is two buffers: how they are allocated, their length and type, then the numbers; the first is the shape. */
    private void array(DataInputStream in, String name) throws IOException {
        in.readUTF();
        long numbers = in.readLong();
        String kind = in.readUTF();
        if (!kind.equals("LONG") && !kind.equals("INT") || numbers < 4 || numbers > 2 * MOST_DIMENSIONS + 4) {
            throw damaged(name, "has no shape");
        }
        long[] shape = new long[(int) numbers];
        for (int i = 0; i < numbers; i++) {
            shape[i] = kind.equals("LONG") ? in.readLong() : in.readInt();
        }
        long elements;
        try {
            elements = StoredShape.elements(shape);
        } catch (InvalidInputException e) {
            throw damaged(name, String.valueOf(e.getMessage()));
        }
        in.readUTF();
        long length = in.readLong();
        String type = in.readUTF();
        DataType known = Arrays.stream(DataType.values())
                .filter(each -> each.name().equals(type) && each.isFPType())
                .findFirst()
                .orElseThrow(() -> damaged(name, "has numbers of the type `" + type + "`"));
        if (elements > length || !isOf(known, shape, kind)) {
            throw damaged(name, "has a shape of " + elements + " numbers for " + length + " of the type " + known);
        }
        if (length > Long.MAX_VALUE / Double.BYTES) {
            throw damaged(name, "is said to hold " + length + " numbers");
        }
        in.skipNBytes(length * known.width());
    }

    /** Whether the shape says what the numbers are, as it does since its numbers are long. */
    private static boolean isOf(DataType known, long[] shape, String kind) {
        try {
            return kind.equals("INT") || ArrayOptionsHelper.dataType(shape) == known;
        } catch (ND4JUnknownDataTypeException e) {
            return false;
        }
    }

    private InvalidInputException damaged(String name, String what) {
        return new InvalidInputException(
                zip + ": " + name + " " + what + "; the file is damaged: copy or save it again");
    }

    /** Counts what is unpacked, and stops where it is too much. */
    private final class Counted extends FilterInputStream {
        private final long most;
        private long count;

        Counted(InputStream in, long most) {
            super(in);
            this.most = most;
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            count(value < 0 ? 0 : 1);
            return value;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int read = super.read(bytes, offset, length);
            count(Math.max(0, read));
            return read;
        }

        @Override
        public long skip(long length) throws IOException {
            long skipped = super.skip(length);
            count(skipped);
            return skipped;
        }

        private void count(long bytes) {
            count += bytes;
            if (count > most) {
                throw new InvalidInputException(zip + " unpacks to more than " + (most >> 20)
                        + " MB, which no network of this size does; if you trust where it is from, load it with DL4J"
                        + " itself");
            }
        }
    }
}
