package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;
import onnx.Onnx.ModelProto;
import onnx.Onnx.StringStringEntryProto;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data file that we wrote for a model, as the model's metadata names it: {@code samediff_adapters.data_file = m.onnx.data 4096
 * 8a9136aa} (name, bytes, CRC-32C). It is this program's manifest: what tensors say about where their data lie is anybody's word and
 * never a reason to delete a file. A model names the data of the one that it replaced too, which whoever
 * replaces it next removes if this writer did not come to it.
 *
 * @param name its name in the model's folder
 * @param bytes its length
 * @param checksum CRC-32C of its content
 */
record OwnDataFile(String name, long bytes, String checksum) {
    private static final Logger LOG = LoggerFactory.getLogger(OwnDataFile.class);
    private static final String KEY = "samediff_adapters.data_file";
    private static final Pattern VALUE = Pattern.compile("(.+) (\\d{1,18}) ([0-9a-f]{8})");

    /** Sums what is written to a data file. */
    static final class Sum {
        private final CRC32C crc = new CRC32C();
        private long bytes;

        /** Writes to a stream and counts and sums what goes there. */
        OutputStream over(OutputStream out) {
            return new CheckedOutputStream(out, crc) {
                @Override
                public void write(byte[] b, int off, int len) throws IOException {
                    super.write(b, off, len);
                    bytes += len;
                }

                @Override
                public void write(int b) throws IOException {
                    super.write(b);
                    bytes++;
                }
            };
        }

        OwnDataFile of(String name) {
            return new OwnDataFile(name, bytes, hex(crc.getValue()));
        }
    }

    private static String hex(long crc) {
        return String.format(Locale.ROOT, "%08x", crc);
    }

    /** Returns a model whose metadata names these data files and no others. */
    static ModelProto named(ModelProto model, List<OwnDataFile> files) {
        ModelProto.Builder builder = model.toBuilder().clearMetadataProps();
        model.getMetadataPropsList().stream()
                .filter(entry -> !entry.getKey().equals(KEY))
                .forEach(builder::addMetadataProps);
        files.forEach(own -> builder.addMetadataProps(StringStringEntryProto.newBuilder()
                .setKey(KEY)
                .setValue(own.name + " " + own.bytes + " " + own.checksum)));
        return builder.build();
    }

    /**
     * Returns the data files that a model file says we wrote, and that lie beside the target.
     *
     * @param model the file, which is the target or was to become it; none if it is no model
     * @param target where the model belongs
     */
    static List<OwnDataFile> of(Path model, Path target) {
        if (!Files.isRegularFile(model, LinkOption.NOFOLLOW_LINKS)) {
            return List.of();
        }
        try {
            return LeanModel.read(model).getMetadataPropsList().stream()
                    .filter(entry -> entry.getKey().equals(KEY))
                    .map(entry -> VALUE.matcher(entry.getValue()))
                    .filter(Matcher::matches)
                    .map(value -> new OwnDataFile(value.group(1), Long.parseLong(value.group(2)), value.group(3)))
                    .filter(own -> own.isNamedFor(target) && Files.exists(target.resolveSibling(own.name)))
                    .toList();
        } catch (InvalidInputException e) {
            return List.of();
        }
    }

    /**
     * Removes the file from the folder of a model that no longer needs it: if its name is one that we give the data of that model,
     * its content is what we wrote, and no model in the folder names it.
     */
    void remove(Path model) {
        if (!isNamedFor(model)) {
            return;
        }
        Path file = model.resolveSibling(name);
        try {
            if (isUnchanged(file) && !isNamedBeside(file, model)) {
                Files.delete(file);
            }
        } catch (IOException e) {
            LOG.warn("{} is no longer needed and stays: {}", file, e.getMessage());
        }
    }

    /** Whether the name is one that we give the data of a model: no path, and nobody else's. */
    private boolean isNamedFor(Path model) {
        return name.matches(Pattern.quote(model.getFileName() + ".data") + "\\d*");
    }

    private boolean isUnchanged(Path file) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != bytes) {
            return false;
        }
        CRC32C crc = new CRC32C();
        try (InputStream in = new CheckedInputStream(Files.newInputStream(file), crc)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        return hex(crc.getValue()).equals(checksum);
    }

    /** Whether a model in the same folder names a file, or one that cannot be read may. */
    private static boolean isNamedBeside(Path file, Path target) throws IOException {
        List<Path> models;
        try (Stream<Path> siblings = Files.list(file.resolveSibling(""))) {
            models = siblings.filter(sibling -> sibling.equals(target)
                            || String.valueOf(sibling.getFileName())
                                    .toLowerCase(Locale.ROOT)
                                    .endsWith(".onnx"))
                    .filter(Files::isRegularFile)
                    .toList();
        }
        byte[] name = String.valueOf(file.getFileName()).getBytes(StandardCharsets.UTF_8);
        for (Path model : models) {
            try {
                if (contains(named(LeanModel.read(model), List.of()).toByteArray(), name)) {
                    return true;
                }
            } catch (InvalidInputException e) {
                return true;
            }
        }
        return false;
    }

    /** Whether bytes hold a name that does not go on with another digit. */
    private static boolean contains(byte[] bytes, byte[] name) {
        for (int start = 0; start + name.length <= bytes.length; start++) {
            int end = start + name.length;
            if (java.util.Arrays.equals(bytes, start, end, name, 0, name.length)
                    && (end == bytes.length || !Character.isDigit(bytes[end]))) {
                return true;
            }
        }
        return false;
    }
}
