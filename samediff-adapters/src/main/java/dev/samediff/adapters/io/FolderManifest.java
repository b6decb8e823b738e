package dev.samediff.adapters.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The list of the files that we wrote into a folder, kept in it as {@value #NAME}. Only a folder in which every file is on its list
 * is replaced or removed as a whole: what a person or another program put there is never deleted.
 *
 * <pre>{"format": 1, "written_by": "samediff-adapters", "files": ["adapter_config.json", "native/adapter.json"]}</pre>
 */
public final class FolderManifest {
    /** The manifest's file in a folder. */
    public static final String NAME = ".samediff-manifest.json";

    private static final String WRITER = "samediff-adapters";
    private static final String KIND = "kind";
    private static final int FORMAT = 1;
    private static final long LONGEST = 1 << 20;

    /** What file managers leave everywhere; nobody misses it. */
    private static final Set<String> LITTER = Set.of(".DS_Store", "Thumbs.db");

    private FolderManifest() {}

    /**
     * Lists what is in a folder now as ours.
     *
     * @param kind what it holds: a folder is only replaced by one that holds the same; empty for adapters and checkpoints
     */
    static void write(Path folder, String kind) throws IOException {
        write(folder, files(folder), kind);
    }

    /**
     * Says which files of a folder are ours, those that will be written too: paths relative to it.
     *
     * @throws IOException if it cannot be written
     */
    public static void write(Path folder, Collection<String> files) throws IOException {
        write(folder, files, "");
    }

    private static void write(Path folder, Collection<String> files, String kind) throws IOException {
        ObjectNode json = JsonFile.JSON.createObjectNode();
        json.put("format", FORMAT);
        json.put("written_by", WRITER);
        if (!kind.isEmpty()) {
            json.put(KIND, kind);
        }
        new TreeSet<>(files).forEach(json.putArray("files")::add);
        DurableFiles.writeText(folder.resolve(NAME), JsonFile.pretty(json));
    }

    /**
     * Returns a file in a folder that is not ours, if there is one; nothing if the folder is empty.
     *
     * @throws IOException if the folder cannot be read
     */
    public static Optional<String> stranger(Path folder) throws IOException {
        Set<String> ours = ours(folder);
        return files(folder).stream()
                .filter(file -> !ours.contains(file) && !LITTER.contains(file.substring(file.lastIndexOf('/') + 1)))
                .findFirst();
    }

    /**
     * Returns the files and folders directly in a folder that are not on its list. What lies in folders on the list is not looked
     * at: they have lists of their own.
     *
     * @throws IOException if the folder cannot be read
     */
    public static List<String> strangersAtTop(Path folder) throws IOException {
        Set<String> ours = ours(folder);
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> String.valueOf(entry.getFileName()))
                    .filter(name -> !ours.contains(name) && !LITTER.contains(name))
                    .sorted()
                    .toList();
        }
    }

    /** Returns whether a folder has a manifest of ours; there may be other files in it. */
    public static boolean isIn(Path folder) throws IOException {
        return !ours(folder).isEmpty();
    }

    /** Returns what a folder of ours holds, as it was written; empty if nothing was said. */
    static String kind(Path folder) throws IOException {
        return read(folder).path(KIND).asText();
    }

    /** The files on the list and the list itself; none if there is no list that we wrote. */
    private static Set<String> ours(Path folder) throws IOException {
        JsonNode json = read(folder);
        Set<String> ours = new HashSet<>();
        if (!json.isMissingNode()) {
            json.path("files").forEach(each -> ours.add(each.asText()));
            ours.add(NAME);
        }
        return ours;
    }

    /** The list, missing if there is none that we wrote. */
    private static JsonNode read(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) > LONGEST) {
            return MissingNode.getInstance();
        }
        try {
            JsonNode json = JsonFile.JSON.readTree(Files.readAllBytes(file));
            boolean isOurs = json.path("format").asInt() == FORMAT
                    && json.path("written_by").asText().equals(WRITER);
            return isOurs ? json : MissingNode.getInstance();
        } catch (JsonProcessingException | NoSuchFileException notAManifestOrReplacedJustNow) {
            return MissingNode.getInstance();
        }
    }

    /** Everything in a folder that is no folder; links are not followed. */
    private static Set<String> files(Path folder) throws IOException {
        Set<String> files = new TreeSet<>();
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                files.add(folder.relativize(file).toString().replace('\\', '/'));
                return FileVisitResult.CONTINUE;
            }
        });
        return files;
    }
}
