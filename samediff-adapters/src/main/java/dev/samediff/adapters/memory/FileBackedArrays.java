package dev.samediff.adapters.memory;

import com.sun.jna.Platform;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Arrays whose memory is a file ({@link FileBlock}), so that the pages that nobody reads can be given back: weights that are needed only
 * to merge or to switch an adapter off, or that an engine holds rounded copies of. They are arrays like all others, read and written as
 * usual; the first access to a page that was given back costs a read of the file, mostly from the system's own cache.
 */
public final class FileBackedArrays {
    private static final Logger LOG = LoggerFactory.getLogger(FileBackedArrays.class);

    /** Copied at a time, before the memory of what was copied is given back. */
    private static final long COPIED = 1L << 26;

    private static final Path DISK = Path.of("/var/tmp");

    /** What is mapped, by the address of its first byte. */
    private static final Map<Long, Mapped> MAPPED = new ConcurrentHashMap<>();

    /** Folders that could not take an array. */
    private static final Set<Path> REFUSED = ConcurrentHashMap.newKeySet();

    /** A mapping, and the folder that its file was made in. */
    record Mapped(long bytes, Path directory) {}

    private FileBackedArrays() {}

    /**
     * Returns the folder for such files if nobody chose one: that of Java's temporary files, but for one that is itself in memory
     * (tmpfs), in whose place {@code /var/tmp} is taken.
     */
    public static Path usualDirectory() {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        return isInMemory(temporary) && Files.isWritable(DISK) && !isInMemory(DISK) ? DISK : temporary;
    }

    private static boolean isInMemory(Path directory) {
        try {
            FileStore store = Files.getFileStore(directory);
            return store.type().equals("tmpfs") || store.type().equals("ramfs");
        } catch (IOException notThere) {
            return false;
        }
    }

    /**
     * Returns memory that lies in a file.
     *
     * @param bytes how many
     * @param directory where the file is made; memory is saved only if it is not itself in memory (tmpfs)
     * @return empty if there cannot be such memory, for the reason that is logged once per folder
     * @throws InvalidInputException if there is no such directory
     */
    public static Optional<FileBlock> block(long bytes, Path directory) {
        if (!Files.isDirectory(directory)) {
            throw new InvalidInputException(
                    "`" + directory + "` is no directory; give one on a disk with " + bytes + " bytes left");
        }
        if (!Platform.isLinux() || !Nd4j.getEnvironment().isCPU() || bytes == 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(new FileBlock(bytes, directory));
        } catch (IOException e) {
            sayOnce(directory, e);
            return Optional.empty();
        }
    }

    /**
     * Returns a copy of an array that lies in a file.
     *
     * @param array a FLOAT array on the CPU backend
     * @param directory where the file is made; memory is saved only if it is not itself in memory (tmpfs)
     * @return the copy; empty if there cannot be one, for the reason that is logged
     * @throws InvalidInputException if there is no such directory
     */
    public static Optional<INDArray> copy(INDArray array, Path directory) {
        if (array.dataType() != DataType.FLOAT) {
            LOG.info(
                    "an array {} {} stays in memory: only FLOAT arrays can lie in a file",
                    array.dataType(),
                    array.shape());
            return Optional.empty();
        }
        return block(array.length() * Float.BYTES, directory).map(block -> filled(block, array));
    }

    private static INDArray filled(FileBlock block, INDArray array) {
        INDArray source = array.ordering() == 'c' && !array.isView() ? array : array.dup('c');
        long from = source.data().pointer().address();
        try {
            for (long done = 0; done < block.bytes(); done += COPIED) {
                long count = Math.min(COPIED, block.bytes() - done);
                Pointer.memcpy(block.part(done, count), HostMemory.bytes(from + done, count), count);
                block.release(done, done + count);
            }
        } finally {
            Reference.reachabilityFence(source);
        }
        return block.asArray(array.shape());
    }

    /**
     * Returns an array of the same type and shape as one that lies in a file, in a file in the same folder; its numbers are 0.
     *
     * @return empty if the array is no such one, or there is no room for another
     */
    public static Optional<INDArray> like(INDArray array) {
        Mapped mapped = MAPPED.get(address(array));
        return mapped == null
                ? Optional.empty()
                : block(array.length() * Float.BYTES, mapped.directory()).map(block -> block.asArray(array.shape()));
    }

    /** One line for a folder, however many weights there are. */
    private static void sayOnce(Path directory, IOException reason) {
        if (REFUSED.add(directory)) {
            LOG.warn(
                    "frozen weights stay in memory, because {} cannot take them ({}); the result is the same. Another folder"
                            + " on a disk saves the memory (--weights-directory)",
                    directory,
                    reason.getMessage());
        }
    }

    static void register(long address, Mapped mapped) {
        MAPPED.put(address, mapped);
    }

    static void forget(long address) {
        MAPPED.remove(address);
    }

    private static long address(INDArray array) {
        return array.data().pointer().address();
    }

    /** Returns whether an array lies in a file. */
    public static boolean isOne(INDArray array) {
        return MAPPED.containsKey(address(array));
    }

    /** Gives the memory of an array back until it is read again; does nothing with arrays that lie in no file. */
    public static void release(INDArray array) {
        release(address(array));
        Reference.reachabilityFence(array);
    }

    /** As {@link #release(INDArray)}, by the address of an array's first element; somebody keeps it alive. */
    public static void release(long address) {
        Mapped mapped = MAPPED.get(address);
        if (mapped != null) {
            LibC.advise(address, mapped.bytes(), LibC.MADV_DONTNEED); // of a shared mapping: nothing is lost
        }
    }
}
