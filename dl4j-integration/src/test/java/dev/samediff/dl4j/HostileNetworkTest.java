package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.ForkedJvm;
import dev.samediff.adapters.testing.HostileFiles;
import dev.samediff.adapters.testing.Mutations;
import dev.samediff.dl4j.testing.Blobs;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Zips of adapted networks, damaged, in another JVM: a crash is seen as what it is. Longer: {@code -Dmutations=2000}. */
class HostileNetworkTest {
    private static final int HEADERS = 128;

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    private MultiLayerNetwork network;

    /** Reads mutations of a zip's bytes, and of its entries, in a folder. */
    static final class Mutated {
        private Mutated() {}

        public static void main(String[] arguments) throws IOException {
            Path folder = Path.of(arguments[0]);
            new HostileFiles("DL4J zip", folder.resolve("network.zip"), folder).read(Mutated::use);
            Path parts = folder.resolve("parts");
            new HostileFiles("DL4J zip, its entries", parts, folder)
                    .read(HostileFiles.count(), Mutations::of, changed -> {
                        Path zip = folder.resolve("packed.zip");
                        pack(entries(changed), zip);
                        use(zip);
                    });
            new HostileFiles("DL4J zip, shapes of its arrays", parts, folder.resolve("shapes"))
                    .read(HostileFiles.count(), Mutated::shape, changed -> {
                        Path zip = folder.resolve("packed.zip");
                        pack(entries(changed), zip);
                        use(zip);
                    });
        }

        /** Puts an extreme in the place of a number in an array's beginning: its headers, rank, sizes, strides, type and order. */
        private static byte[] shape(String name, byte[] bytes, Random random) {
            if (!name.endsWith(".bin")) {
                return bytes;
            }
            byte[] changed = bytes.clone();
            long[] extremes = {0, 1, 2, 33, 1L << 20, 1L << 31, 1L << 40, 1L << 62, Long.MAX_VALUE, -1, Long.MIN_VALUE};
            int at = random.nextInt(Math.min(changed.length - Long.BYTES, HEADERS));
            ByteBuffer.wrap(changed).putLong(at, extremes[random.nextInt(extremes.length)]);
            return changed;
        }

        private static void use(Path zip) {
            NetworkFile.multiLayerNetwork(zip).output(Blobs.data(6, 0, 1).getFeatures());
        }

        private static Map<String, byte[]> entries(Path folder) throws IOException {
            Map<String, byte[]> entries = new TreeMap<>();
            try (var files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    entries.put(file.getFileName().toString(), Files.readAllBytes(file));
                }
            }
            return entries;
        }
    }

    private static void pack(Map<String, byte[]> entries, Path zip) throws IOException {
        try (OutputStream out = Files.newOutputStream(zip);
                ZipOutputStream packed = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                packed.putNextEntry(new ZipEntry(entry.getKey()));
                packed.write(entry.getValue());
            }
        }
    }

    private Path saved() throws IOException {
        network = new AdapterTransfer.Builder(Blobs.trained())
                .method(Sorsa.rank(2))
                .build();
        Path zip = folder.resolve("network.zip");
        ModelSerializer.writeModel(network, zip.toFile(), true);
        return zip;
    }

    private static Map<String, byte[]> unpacked(Path zip) throws IOException {
        Map<String, byte[]> entries = new TreeMap<>();
        try (ZipFile file = new ZipFile(zip.toFile())) {
            for (ZipEntry entry : file.stream().map(ZipEntry.class::cast).toList()) {
                entries.put(entry.getName(), file.getInputStream(entry).readAllBytes());
            }
        }
        return entries;
    }

    @Test
    void a_changed_zip_is_read_or_refused() throws IOException, InterruptedException {
        Path parts = Files.createDirectory(folder.resolve("parts"));
        for (Map.Entry<String, byte[]> entry : unpacked(saved()).entrySet()) {
            Files.write(parts.resolve(entry.getKey()), entry.getValue());
        }
        new ForkedJvm()
                .with(
                        "-Dmutations=" + HostileFiles.count() / 2,
                        "-Dmutations.seed=" + Long.getLong("mutations.seed", 0))
                .run(Mutated.class, folder.toString());
    }

    @Test
    void a_network_comes_back() throws IOException {
        assertThatBits(NetworkFile.multiLayerNetwork(saved()).params()).isEqualTo(network.params());
    }

    @Test
    void what_would_run_code_of_the_file_is_refused() throws IOException {
        Map<String, byte[]> entries = unpacked(saved());
        Map<String, byte[]> serialised = new TreeMap<>(entries);
        serialised.put("preprocessor.bin", new byte[] {(byte) 0xac, (byte) 0xed, 0, 5});
        assertRefused(serialised, "serialised Java object");
        Map<String, byte[]> stranger = new TreeMap<>(entries);
        stranger.put("../evil.sh", new byte[1]);
        assertRefused(stranger, "no part of a network");
        Map<String, byte[]> classes = new TreeMap<>(entries);
        String json = new String(entries.get("configuration.json"), StandardCharsets.UTF_8);
        classes.put(
                "configuration.json",
                json.replaceFirst("\"@class\"\\s*:\\s*\"[^\"]*\"", "\"@class\":\"javax.swing.JEditorPane\"")
                        .getBytes(StandardCharsets.UTF_8));
        assertRefused(classes, "names the class `javax.swing.JEditorPane`");
    }

    @Test
    void entries_that_the_table_at_the_end_hides_are_seen_as_the_loader_sees_them() throws IOException {
        Map<String, byte[]> serialised = Map.of("preprocessor.bin", new byte[] {(byte) 0xac, (byte) 0xed, 0, 5});
        Path zip = folder.resolve("hidden.zip");
        pack(serialised, zip);
        String hidden = Files.readString(zip, StandardCharsets.ISO_8859_1);
        hidden = hidden.substring(0, hidden.indexOf("PK\u0001\u0002")); // without its table
        String network = Files.readString(saved(), StandardCharsets.ISO_8859_1);
        Files.writeString(zip, hidden + network, StandardCharsets.ISO_8859_1);
        try (ZipFile table = new ZipFile(zip.toFile())) {
            assertThat(table.getEntry("preprocessor.bin")).isNull();
        }
        assertThatThrownBy(() -> NetworkFile.multiLayerNetwork(zip))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("serialised Java object");
    }

    @Test
    void a_class_behind_another_of_the_same_key_is_refused() throws IOException {
        Map<String, byte[]> entries = unpacked(saved());
        String json = new String(entries.get("configuration.json"), StandardCharsets.UTF_8);
        entries.put(
                "configuration.json",
                json.replaceFirst("\"@class\"", "\"@class\":\"javax.swing.JEditorPane\",\"@class\"")
                        .getBytes(StandardCharsets.UTF_8));
        assertRefused(entries, "damaged");
    }

    @Test
    void what_unpacks_to_far_more_than_a_network_is_refused() throws IOException {
        Map<String, byte[]> entries = unpacked(saved());
        ByteBuffer parameters = ByteBuffer.wrap(entries.get("coefficients.bin"));
        int length = new String(parameters.array(), StandardCharsets.ISO_8859_1).indexOf("FLOAT") - 2 - Long.BYTES;
        long numbers = 40_000_000;
        ByteBuffer bomb = ByteBuffer.allocate((int) (Float.BYTES * numbers) + parameters.capacity());
        bomb.put(parameters).putLong(length, numbers);
        entries.put("coefficients.bin", bomb.array());
        assertRefused(entries, "unpacks to more than 64 MB");
    }

    private void assertRefused(Map<String, byte[]> entries, String words) throws IOException {
        Path zip = folder.resolve("changed.zip");
        pack(entries, zip);
        assertThatThrownBy(() -> NetworkFile.multiLayerNetwork(zip))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(words);
    }
}
