package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.GivenFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;
import org.tensorflow.framework.DataType;
import org.tensorflow.util.BundleEntryProto;
import org.tensorflow.util.BundleHeaderProto;

/** A checkpoint: {@code variables.index} says where in {@code variables.data-00000-of-00001} each tensor lies. */
final class TensorBundle {
    private static final long MOST_INDEX = 256L << 20;
    private static final String GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH";

    private final Path prefix;
    private final Map<String, BundleEntryProto> entries = new LinkedHashMap<>();
    private final int shards;

    /**
     * Reads the index.
     *
     * @param prefix path of the files without ".index" and ".data-..."
     * @throws InvalidInputException if it is missing or damaged
     */
    TensorBundle(Path prefix) {
        this.prefix = prefix;
        Path index = beside(".index");
        if (!Files.isRegularFile(index)) {
            throw new InvalidInputException(index + " does not exist; copy the complete folder of the SavedModel");
        }
        try {
            BundleHeaderProto header = BundleHeaderProto.getDefaultInstance();
            for (Map.Entry<String, byte[]> entry : SortedTable.read(
                            index, GivenFile.bytes(index, MOST_INDEX, "the index of variables"))
                    .entrySet()) {
                if (entry.getKey().isEmpty()) {
                    header = BundleHeaderProto.parseFrom(entry.getValue());
                } else {
                    entries.put(entry.getKey(), BundleEntryProto.parseFrom(entry.getValue()));
                }
            }
            if (header.getEndianness() != BundleHeaderProto.Endianness.LITTLE) {
                throw new InvalidInputException(
                        index + " was written on a big-endian machine; save the model on another");
            }
            this.shards = Math.max(1, header.getNumShards());
        } catch (InvalidProtocolBufferException e) {
            throw new InvalidInputException(index + " is damaged (" + e.getMessage() + "); copy or save it again", e);
        } catch (IOException e) {
            throw new InvalidInputException(index + " cannot be read: " + e, e);
        }
    }

    private Path beside(String suffix) {
        return prefix.resolveSibling(prefix.getFileName() + suffix);
    }

    /** Returns the names of the tensors. */
    Set<String> keys() {
        return entries.keySet();
    }

    /**
     * Reads a tensor.
     *
     * @throws InvalidInputException if it is not there, cut off, or its checksum is wrong
     */
    StoredTensor tensor(String key) {
        BundleEntryProto entry = entries.get(key);
        if (entry == null) {
            throw new InvalidInputException(
                    beside(".index") + " has no tensor '" + key + "'; it has " + Names.some(entries.keySet()));
        }
        if (entry.getSlicesCount() > 0) {
            throw new InvalidInputException(
                    "variable '" + key + "' of " + prefix + " is stored in " + entry.getSlicesCount()
                            + " slices; load the model in TensorFlow and save it without partitioning");
        }
        String what = "variable '" + key + "' of " + prefix;
        long[] shape = StoredTensor.shape(entry.getShape());
        long expected = StoredTensor.count(shape, what) * TensorFlowTypes.bytes(entry.getDtype(), what);
        if (expected != entry.getSize()) {
            throw new InvalidInputException(what + " has " + entry.getSize() + " bytes where its shape needs "
                    + expected + "; the index is damaged: copy or save the model again");
        }
        ByteBuffer data = data(entry, what);
        if (SortedTable.masked(data.duplicate()) != entry.getCrc32C()) {
            throw wrongChecksum(what);
        }
        return new StoredTensor(entry.getDtype(), shape, ByteString.copyFrom(data));
    }

    /** Returns TensorFlow's description of the objects that own the variables, or nothing if there is none. */
    ByteString objectGraph() {
        BundleEntryProto entry = entries.get(GRAPH);
        if (entry == null || entry.getDtype() != DataType.DT_STRING || entry.getSize() < 5) {
            return ByteString.EMPTY;
        }
        ByteBuffer data = data(entry, "entry " + GRAPH + " of " + prefix);
        long length = SortedTable.number(data);
        if (length != data.remaining() - 4) {
            throw new InvalidInputException(
                    "entry " + GRAPH + " of " + prefix + " is damaged; copy or save the model again");
        }
        data.position(data.position() + 4);
        return ByteString.copyFrom(data);
    }

    private ByteBuffer data(BundleEntryProto entry, String what) {
        Path file = beside(String.format(".data-%05d-of-%05d", entry.getShardId(), shards));
        if (Files.exists(file) && !Files.isRegularFile(file)) { // a pipe would be waited for
            throw new InvalidInputException(file + " is not a file; copy the complete folder again");
        }
        try (FileChannel channel = FileChannel.open(file)) {
            long left = channel.size() - entry.getSize();
            if (entry.getOffset() < 0 || entry.getSize() > Integer.MAX_VALUE - 8 || entry.getOffset() > left) {
                throw new InvalidInputException(what + " needs bytes " + entry.getOffset() + " to "
                        + Long.toUnsignedString(entry.getOffset() + entry.getSize()) + " of " + file + ", which has "
                        + channel.size()
                        + "; copy the complete folder again");
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) entry.getSize()).order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining() && channel.read(bytes, entry.getOffset() + bytes.position()) >= 0) {
                // read on: a channel may return fewer bytes than asked for
            }
            return bytes.flip();
        } catch (IOException e) {
            throw new InvalidInputException(
                    what + " cannot be read from " + file + ": " + e + "; copy the complete folder again", e);
        }
    }

    private static InvalidInputException wrongChecksum(String what) {
        return new InvalidInputException(
                what + " does not have the checksum the index gives for it; the data is damaged: copy it again");
    }
}
