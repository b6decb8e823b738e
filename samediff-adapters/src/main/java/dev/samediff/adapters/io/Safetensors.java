package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Files of named tensors in Hugging Face's safetensors format: a length, a JSON header, then the data, row-major and
 * little-endian.
 *
 * @param tensors tensors by name, in the order of the file
 * @param metadata the file's strings, such as {@code format -> pt}
 */
public record Safetensors(Map<String, INDArray> tensors, Map<String, String> metadata) {
    /** Metadata that Hugging Face's loaders expect. */
    public static final Map<String, String> PYTORCH = Map.of("format", "pt");

    private static final int CHUNK = 1 << 20;

    public Safetensors {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }

    /**
     * Reads a file; everything its header declares is checked against the file's length before memory is allocated.
     *
     * @throws InvalidInputException if there is no such file, or it is not a whole and valid safetensors file
     * @throws IOException if reading fails
     */
    public static Safetensors read(Path file) throws IOException {
        GivenFile.require(file, "a safetensors file");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            SafetensorsIndex index = SafetensorsIndex.read(file, channel);
            Map<String, INDArray> tensors = new LinkedHashMap<>();
            for (SafetensorsIndex.Tensor tensor : index.tensors()) {
                tensors.put(tensor.name(), readTensor(channel, tensor));
            }
            return new Safetensors(tensors, index.metadata());
        } catch (NoSuchFileException e) {
            throw new InvalidInputException("there is no file " + file + "; check the path", e);
        }
    }

    /** Writes a file durably (see {@link DurableFiles}), laid out as the format's own writer does it. */
    public void write(Path file) throws IOException {
        DurableFiles.write(file, this::writeTo);
    }

    /** Writes the file's bytes to a stream. */
    public void writeTo(OutputStream out) throws IOException {
        List<SafetensorsHeader.Entry> ordered = new ArrayList<>();
        tensors.forEach((name, array) -> ordered.add(new SafetensorsHeader.Entry(
                name, SafetensorsType.of(array.dataType()), array.shape().clone(), 0, 0)));
        ordered.sort(SafetensorsHeader.Entry.fileOrder());
        List<SafetensorsHeader.Entry> placed = new ArrayList<>();
        long offset = 0;
        for (SafetensorsHeader.Entry entry : ordered) {
            long end = offset + length(entry);
            placed.add(new SafetensorsHeader.Entry(entry.name(), entry.type(), entry.shape(), offset, end));
            offset = end;
        }
        byte[] header = new SafetensorsHeader(placed, metadata).toBytes();
        out.write(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .array());
        out.write(header);
        for (SafetensorsHeader.Entry entry : placed) {
            INDArray array = java.util.Objects.requireNonNull(tensors.get(entry.name()));
            writeTensor(out, array, entry.end() - entry.begin());
        }
    }

    private static long length(SafetensorsHeader.Entry entry) {
        long bytes = entry.type().bytes();
        for (long size : entry.shape()) {
            bytes *= size;
        }
        return bytes;
    }

    private static INDArray readTensor(FileChannel channel, SafetensorsIndex.Tensor tensor) throws IOException {
        long bytes = tensor.length();
        if (bytes == 0) {
            return Nd4j.create(tensor.type(), tensor.shape());
        }
        INDArray array = Nd4j.createUninitialized(tensor.type(), tensor.shape(), 'c');
        BytePointer memory = bytes(array, bytes);
        for (long done = 0; done < bytes; ) {
            int chunk = (int) Math.min(CHUNK, bytes - done);
            memory.position(done)
                    .put(
                            SafetensorsIndex.readFully(channel, tensor.offset() + done, chunk)
                                    .array(),
                            0,
                            chunk);
            done += chunk;
        }
        Nd4j.getAffinityManager().tagLocation(array, AffinityManager.Location.HOST); // a device's copy is older now
        return array;
    }

    private static void writeTensor(OutputStream out, INDArray array, long bytes) throws IOException {
        if (bytes == 0) {
            return;
        }
        // A plain row-major copy unless the array is one already; views and transposes are not.
        INDArray plain = array.ordering() == 'c' && !array.isView() ? array : array.dup('c');
        try {
            BytePointer memory = bytes(plain, bytes);
            byte[] buffer = new byte[(int) Math.min(CHUNK, bytes)];
            for (long done = 0; done < bytes; ) {
                int chunk = (int) Math.min(buffer.length, bytes - done);
                memory.position(done).get(buffer, 0, chunk);
                out.write(buffer, 0, chunk);
                done += chunk;
            }
        } finally {
            java.lang.ref.Reference.reachabilityFence(plain);
        }
    }

    /** The numbers on the host, as new as on a device (on a CPU backend they always are). */
    private static BytePointer bytes(INDArray array, long length) {
        Nd4j.getAffinityManager().ensureLocation(array, AffinityManager.Location.HOST);
        Pointer address = array.data().addressPointer();
        return new BytePointer(address).capacity(length);
    }
}
