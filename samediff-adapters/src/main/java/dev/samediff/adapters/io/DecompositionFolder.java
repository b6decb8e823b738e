package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.TripletStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Singular triplets in safetensors files of a folder, shared by all runs and processes of a user; anybody may delete it at any time. Each
 * file holds what it is and a checksum of its tensors, and counts as absent when either is not right. The files that were used least
 * recently go when there are too many bytes; files of other names are let be. A folder that cannot be read or written is said once, and is
 * no error. Thread-safe.
 */
public final class DecompositionFolder implements TripletStore {
    /** Bytes that a folder holds at most, unless another number is given: 4 GiB, three models of 7 billion parameters at rank 128. */
    public static final long MOST_BYTES = 4L << 30;

    private static final Logger LOG = LoggerFactory.getLogger(DecompositionFolder.class);
    private static final Pattern NAME = Pattern.compile("([0-9a-f]{64})-r([0-9]{1,9})\\.safetensors");
    private static final String WHAT = "what";
    private static final String SUM = "sha256";
    private static final String U = "u";
    private static final String S = "s";
    private static final String VT = "vt";
    private static final String EXCESS = "excess";

    private final Path folder;
    private final long mostBytes;
    private volatile boolean writable = true;

    /**
     * A folder of at most {@value #MOST_BYTES} bytes.
     *
     * @param folder the folder; made when something is kept
     */
    public DecompositionFolder(Path folder) {
        this(folder, MOST_BYTES);
    }

    /**
     * A folder.
     *
     * @param folder the folder; made when something is kept
     * @param mostBytes bytes that it holds at most
     */
    public DecompositionFolder(Path folder, long mostBytes) {
        this.folder = folder;
        this.mostBytes = mostBytes;
    }

    /** Returns the folder that programs of one user share: {@code samediff-adapters/decompositions} in the user's cache. */
    public static Path ofUser() {
        String given = System.getenv("XDG_CACHE_HOME");
        Path cache =
                given == null || given.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(given);
        return cache.resolve("samediff-adapters").resolve("decompositions");
    }

    @Override
    public Optional<Decompositions.Svd> find(String what, int rank, boolean anyLargerRank) {
        return (anyLargerRank ? ofRankOrMore(what, rank) : Stream.of(file(what, rank)))
                .flatMap(file -> read(file, what).stream())
                .findFirst();
    }

    /** The smallest rank first. */
    private Stream<Path> ofRankOrMore(String what, int rank) {
        String hash = hash(what);
        TreeMap<Integer, Path> byRank = new TreeMap<>();
        for (Path file : files()) {
            Matcher name = NAME.matcher(file.getFileName().toString());
            if (name.matches() && name.group(1).equals(hash)) {
                byRank.put(Integer.valueOf(name.group(2)), file);
            }
        }
        return byRank.tailMap(rank).values().stream();
    }

    private static Optional<Decompositions.Svd> read(Path file, String what) {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        try {
            Safetensors content = Safetensors.read(file);
            Optional<Decompositions.Svd> svd = svd(content, what);
            if (svd.isPresent()) {
                Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
            } else {
                LOG.warn("{} is not what was written; it is computed again", file);
            }
            return svd;
        } catch (InvalidInputException | NumberFormatException e) { // cut, or of somebody else
            LOG.warn("{}; it is computed again", e.getMessage());
        } catch (IOException e) { // deleted meanwhile, or not ours to read
            LOG.debug("{} cannot be read: {}", file, e.getMessage());
        }
        return Optional.empty();
    }

    private static Optional<Decompositions.Svd> svd(Safetensors content, String what) throws IOException {
        Map<String, String> metadata = content.metadata();
        INDArray u = content.tensors().get(U);
        INDArray s = content.tensors().get(S);
        INDArray vt = content.tensors().get(VT);
        if (u == null
                || s == null
                || vt == null
                || !what.equals(metadata.get(WHAT))
                || !sum(content.tensors(), metadata).equals(metadata.get(SUM))) {
            return Optional.empty();
        }
        return Optional.of(new Decompositions.Svd(u, s, vt, Double.parseDouble(metadata.getOrDefault(EXCESS, "NaN"))));
    }

    /** Of the tensors and of the metadata but this sum. */
    private static String sum(Map<String, INDArray> tensors, Map<String, String> metadata) throws IOException {
        Map<String, String> others = new TreeMap<>(metadata);
        others.remove(SUM);
        return Sha256.of(out -> new Safetensors(tensors, others).writeTo(out));
    }

    @Override
    public void keep(String what, int rank, Decompositions.Svd svd) {
        long numbers = svd.u().length() + svd.s().length() + svd.vt().length();
        if (!writable || numbers * svd.u().dataType().width() > mostBytes) {
            return;
        }
        Map<String, INDArray> tensors = Map.of(U, svd.u(), S, svd.s(), VT, svd.vt());
        Map<String, String> metadata = new TreeMap<>();
        metadata.put(WHAT, what);
        metadata.put(EXCESS, Double.toString(svd.excess()));
        try {
            makeFolder();
            metadata.put(SUM, sum(tensors, metadata));
            Path file = file(what, rank);
            new Safetensors(tensors, metadata).write(file);
            makeRoom(file);
        } catch (IOException e) {
            giveUp(DurableFiles.failure(folder, e));
        } catch (InvalidInputException e) {
            giveUp(e);
        }
    }

    private void giveUp(Exception reason) {
        if (writable) {
            writable = false;
            LOG.warn("decompositions are not kept for the next run: {}", reason.getMessage());
        }
    }

    /** The folder is its owner's alone: weights may be nobody else's business. */
    private void makeFolder() throws IOException {
        if (Files.isDirectory(folder)) {
            return;
        }
        Files.createDirectories(DurableFiles.parentOf(folder.toAbsolutePath()));
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } else {
            Files.createDirectories(folder);
        }
    }

    private void makeRoom(Path newest) throws IOException {
        record Held(Path file, long bytes, FileTime used) {}
        DurableFiles.removeLeftoversIn(folder);
        List<Held> held = new ArrayList<>();
        for (Path file : files()) {
            try {
                held.add(new Held(file, Files.size(file), Files.getLastModifiedTime(file)));
            } catch (IOException e) {
                LOG.debug("{} went meanwhile", file);
            }
        }
        held.sort(Comparator.comparing(Held::used));
        long bytes = held.stream().mapToLong(Held::bytes).sum();
        for (Held old : held) {
            if (bytes > mostBytes && !old.file().equals(newest)) {
                Files.deleteIfExists(old.file());
                bytes -= old.bytes();
            }
        }
    }

    private Path file(String what, int rank) {
        return folder.resolve(hash(what) + "-r" + rank + ".safetensors");
    }

    private static String hash(String what) {
        return Sha256.of(what.getBytes(StandardCharsets.UTF_8));
    }

    /** Our files; none where there is no folder yet. */
    private List<Path> files() {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(
                            file -> NAME.matcher(file.getFileName().toString()).matches())
                    .filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            return List.of();
        }
    }
}
