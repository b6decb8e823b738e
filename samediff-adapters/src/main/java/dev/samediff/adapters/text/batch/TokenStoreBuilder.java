package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes a {@link TokenStore}. Closing it closes the file; what is mapped stays until the store is gone. */
final class TokenStoreBuilder implements Closeable {
    private static final int LEAST = 1 << 10;
    private static final int LARGEST_BESIDE_VIRTUAL = 1 << 30;

    private final Path folder;
    private final List<IntBuffer> chunks = new ArrayList<>();
    private @Nullable FileChannel file;
    private int[] chunk = new int[LEAST];
    private int used;
    private long[] index = new long[LEAST];
    private int size;

    /** Tokens that do not stay in the heap go into the system's folder for temporary files. */
    TokenStoreBuilder() {
        this(Path.of(System.getProperty("java.io.tmpdir", ".")));
    }

    TokenStoreBuilder(Path folder) {
        this.folder = folder;
    }

    /**
     * Adds a sequence.
     *
     * @throws InvalidInputException if an id is negative and counts: those of virtual tokens never do
     * @throws UncheckedIOException if the temporary folder cannot take the tokens
     */
    void add(TokenSequence sequence) {
        int[] ids = sequence.ids();
        int[] starts = sequence.starts();
        boolean several = starts.length > 1;
        int virtual = hasVirtual(sequence) ? TokenStore.HAS_VIRTUAL : 0;
        reserve(Math.addExact(ids.length, 1 + (several ? 1 + starts.length : 0)));
        if (size == index.length) {
            index = Arrays.copyOf(index, Math.addExact(size, Math.max(size / 2, 1)));
        }
        index[size++] = (long) chunks.size() << 32 | used;
        chunk[used++] = ids.length
                | virtual
                | (sequence.continues() ? TokenStore.CONTINUES : 0)
                | (several ? TokenStore.HAS_STARTS : 0);
        if (several) {
            chunk[used++] = starts.length;
            System.arraycopy(starts, 0, chunk, used, starts.length);
            used += starts.length;
        }
        for (int t = 0; t < ids.length; t++) {
            chunk[used++] = stored(ids[t], sequence.labelled()[t]);
        }
    }

    private static int stored(int id, boolean counts) {
        return id < 0 ? TokenStore.VIRTUAL - id : counts ? ~id : id;
    }

    /** Returns whether there are virtual tokens, which never count. */
    private boolean hasVirtual(TokenSequence sequence) {
        int[] ids = sequence.ids();
        boolean some = false;
        for (int t = 0; t < ids.length; t++) {
            some |= ids[t] < 0;
            if (ids[t] < 0 && sequence.labelled()[t]) {
                throw wrong(t, ids[t], "at least 0");
            }
        }
        for (int t = 0; some && t < ids.length; t++) {
            if (ids[t] >= LARGEST_BESIDE_VIRTUAL) {
                throw wrong(t, ids[t], "less than " + LARGEST_BESIDE_VIRTUAL + " beside virtual tokens");
            }
        }
        return some;
    }

    private InvalidInputException wrong(int place, int id, String expected) {
        return new InvalidInputException(
                "token " + place + " of sequence " + size + " has the id " + id + "; expected ids of " + expected);
    }

    private void reserve(int more) {
        if (used > 0 && used + (long) more > TokenStore.CHUNK) {
            spill();
        }
        if (used + more > chunk.length) {
            int grown = Math.max(used + more, Math.min(2 * chunk.length, TokenStore.CHUNK));
            chunk = Arrays.copyOf(chunk, grown);
        }
    }

    /** Writes the piece at hand behind those before it, and maps it. */
    private void spill() {
        try {
            FileChannel channel = opened();
            long start = channel.position();
            ByteBuffer bytes = ByteBuffer.allocateDirect(4 * used).order(ByteOrder.nativeOrder());
            bytes.asIntBuffer().put(chunk, 0, used);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            chunks.add(channel.map(FileChannel.MapMode.READ_ONLY, start, 4L * used)
                    .order(ByteOrder.nativeOrder())
                    .asIntBuffer());
            used = 0;
        } catch (IOException e) {
            String sentence = "cannot keep the tokens of the examples, 4 bytes each, in a temporary file in " + folder
                    + ": "
                    + e.getMessage() + "; make room there, or name another folder (TMPDIR=FOLDER samples/run ..., java"
                    + " -Djava.io.tmpdir=FOLDER)";
            throw new UncheckedIOException(sentence, new IOException(sentence, e));
        }
    }

    private FileChannel opened() throws IOException {
        FileChannel open = file;
        if (open == null) {
            Path path = Files.createTempFile(folder, "samediff-tokens", ".bin");
            try {
                open = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
                file = open;
            } finally {
                remove(path);
            }
        }
        return open;
    }

    /** An open file lives on without its name; Windows removes it when the process ends. */
    private static void remove(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            path.toFile().deleteOnExit();
        }
    }

    /** Number of sequences so far. */
    int size() {
        return size;
    }

    /** Returns what was added; nothing may be added afterwards. */
    TokenStore store() {
        List<IntBuffer> all = new ArrayList<>(chunks);
        all.add(IntBuffer.wrap(Arrays.copyOf(chunk, used)));
        return new TokenStore(all, Arrays.copyOf(index, size));
    }

    @Override
    public void close() {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot close a temporary file in " + folder + ": " + e.getMessage(), e);
        }
    }
}
