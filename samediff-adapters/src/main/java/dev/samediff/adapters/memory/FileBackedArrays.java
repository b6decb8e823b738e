package dev.samediff.adapters.memory;

import com.sun.jna.Platform;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Arrays whose memory is a file, so that the pages that nobody reads can be given back: weights that are needed only to merge
 * or to switch an adapter off, or that an engine holds rounded copies of. They are arrays like all others, read and written as
 * usual; the first access to a page that was given back costs a read of the file, mostly from the system's own cache.
 *
 * <p>The file has no name: it is deleted as soon as it is open, so it is gone with the process, however that ends. All its
 * bytes are written before it is mapped, so a full disk is found out here and not at an access.
 */
public final class FileBackedArrays {
    private static final Logger LOG = LoggerFactory.getLogger(FileBackedArrays.class);
    private static final Cleaner CLEANER = Cleaner.create();
    private static final int MOST_WRITTEN = 1 << 24;

    /** Mapped bytes by the address of their first one. */
    private static final Map<Long, Long> MAPPED = new ConcurrentHashMap<>();

    /** Folders that could not take an array. */
    private static final Set<Path> REFUSED = ConcurrentHashMap.newKeySet();

    private FileBackedArrays() {}

    /**
     * Returns a copy of an array that lies in a file.
     *
     * @param array a FLOAT array of less than 2 GB on the CPU backend
     * @param directory where the file is made; memory is saved only if it is not itself in memory (tmpfs)
     * @return the copy; empty if there cannot be one, for the reason that is logged once per call
     * @throws InvalidInputException if there is no such directory
     */
    public static Optional<INDArray> copy(INDArray array, Path directory) {
        if (!Files.isDirectory(directory)) {
            throw new InvalidInputException("`" + directory + "` is no directory; give one on a disk with "
                    + array.length() * array.dataType().width() + " bytes left");
        }
        boolean possible = Platform.isLinux()
                && Nd4j.getEnvironment().isCPU()
                && array.dataType() == DataType.FLOAT
                && array.length() * Float.BYTES <= Integer.MAX_VALUE;
        if (!possible) {
            LOG.info(
                    "an array {} {} stays in memory: only FLOAT arrays below 2 GB on Linux and the CPU backend can lie in a"
                            + " file",
                    array.dataType(),
                    array.shape());
            return Optional.empty();
        }
        try {
            return Optional.of(toFile(array.ordering() == 'c' && !array.isView() ? array : array.dup('c'), directory));
        } catch (IOException e) {
            sayOnce(directory, e);
            return Optional.empty();
        }
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

    private static INDArray toFile(INDArray array, Path directory) throws IOException {
        long bytes = array.length() * Float.BYTES;
        Path file = Files.createTempFile(directory, "weights", ".bin");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer source = new BytePointer(array.data().addressPointer())
                    .capacity(bytes)
                    .asByteBuffer()
                    .order(ByteOrder.nativeOrder());
            while (source.hasRemaining()) { // in parts, because Java copies what it writes in one call
                ByteBuffer part = source.slice(source.position(), Math.min(MOST_WRITTEN, source.remaining()));
                source.position(source.position() + channel.write(part));
            }
            return mapped(channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes), array);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static INDArray mapped(MappedByteBuffer memory, INDArray like) {
        FloatPointer pointer =
                new FloatPointer(memory.order(ByteOrder.nativeOrder()).asFloatBuffer());
        long address = pointer.address();
        DataBuffer buffer = Nd4j.createBuffer(pointer, like.length(), DataType.FLOAT);
        MAPPED.put(address, (long) memory.capacity());
        CLEANER.register(buffer, () -> forget(address, memory));
        return Nd4j.create(buffer, like.shape(), Nd4j.getStrides(like.shape(), 'c'), 0, 'c');
    }

    /** Holds the mapping until the array is gone; Java unmaps it then. */
    private static void forget(long address, MappedByteBuffer memory) {
        MAPPED.remove(address, (long) memory.capacity());
    }

    /** Returns whether an array lies in a file. */
    public static boolean isOne(INDArray array) {
        return MAPPED.containsKey(array.data().pointer().address());
    }

    /** Gives the memory of an array back until it is read again; does nothing with arrays that lie in no file. */
    public static void release(INDArray array) {
        long address = array.data().pointer().address();
        Long bytes = MAPPED.get(address);
        if (bytes != null) {
            LibC.advise(address, bytes, LibC.MADV_DONTNEED); // of a shared mapping: nothing is lost
        }
    }
}
