package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.BooleanIndexing;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.indexing.conditions.Conditions;

/** The bytes of a stored tensor, little-endian, wherever they are. */
public interface TensorData {
    /** Returns how many there are. */
    long size();

    /**
     * Hands the bytes out in order, in pieces.
     *
     * @param most most bytes of one piece; pieces but the last have exactly this size
     * @throws IOException if they cannot be read, or the consumer fails
     */
    void forEachPiece(int most, Consumer consumer) throws IOException;

    /**
     * Copies the bytes as they are.
     *
     * @param memory of at least the same size
     */
    default void copyTo(NativeMemory memory) throws IOException {
        forEachPiece(1 << 18, (offset, piece) -> {
            long count = piece.remaining();
            memory.part(offset, count).put(piece);
        });
    }

    /** Takes pieces of the data. */
    @FunctionalInterface
    interface Consumer {
        /** Takes the bytes from {@code offset} on; the buffer is little-endian and is reused. */
        void accept(long offset, ByteBuffer piece) throws IOException;
    }

    /** Bytes in memory. */
    record InMemory(ByteBuffer bytes) implements TensorData {
        @Override
        public long size() {
            return bytes.remaining();
        }

        @Override
        public void forEachPiece(int most, Consumer consumer) throws IOException {
            for (int offset = 0; offset < bytes.remaining(); offset += most) {
                int count = Math.min(most, bytes.remaining() - offset);
                ByteBuffer piece = bytes.slice(bytes.position() + offset, count);
                consumer.accept(offset, piece.order(ByteOrder.LITTLE_ENDIAN));
            }
        }
    }

    /**
     * Bytes in a file.
     *
     * @param file the file
     * @param offset where they begin
     * @param size how many there are
     */
    record InFile(Path file, long offset, long size) implements TensorData {
        private static final long LARGEST_READ = 1 << 26;

        @Override
        public void forEachPiece(int most, Consumer consumer) throws IOException {
            ByteBuffer buffer =
                    ByteBuffer.allocateDirect((int) Math.min(most, size)).order(ByteOrder.LITTLE_ENDIAN);
            try (FileChannel channel = FileChannel.open(file)) {
                for (long done = 0; done < size; done += buffer.limit()) {
                    buffer.clear().limit((int) Math.min(buffer.capacity(), size - done));
                    fill(channel, offset + done, buffer);
                    consumer.accept(done, buffer.flip());
                }
            }
        }

        @Override
        public void copyTo(NativeMemory memory) throws IOException {
            try (FileChannel channel = FileChannel.open(file)) {
                for (long done = 0; done < size; done += Math.min(LARGEST_READ, size - done)) {
                    fill(channel, offset + done, memory.part(done, Math.min(LARGEST_READ, size - done)));
                }
            }
        }

        /** Reads a whole buffer: a channel may return fewer bytes than asked for. */
        private static void fill(FileChannel channel, long offset, ByteBuffer buffer) throws IOException {
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, offset + buffer.position()) < 0) {
                    throw new EOFException(
                            "the file ends at " + channel.size() + "; it was made shorter while it was read");
                }
            }
        }
    }

    /**
     * Numbers of an array of the graph, in an element type of the file.
     *
     * @param values the array
     * @param type FLOAT, DOUBLE, FLOAT16 or BFLOAT16
     */
    record Values(INDArray values, TensorProto.DataType type) implements TensorData {
        @Override
        public long size() {
            return values.length() * StoredNumbers.bytesPerElement(type);
        }

        /**
         * Refuses numbers that the type cannot hold.
         *
         * @param weight their name, for the message
         * @throws InvalidInputException if one is NaN or infinite, or becomes infinite when it is rounded
         */
        public void requireHeld(String weight) {
            double largest = values.amaxNumber().doubleValue();
            if (BooleanIndexing.or(values, Conditions.notFinite())) {
                throw new InvalidInputException("Weight " + weight
                        + " has entries that are no finite numbers; the training diverged before the merge");
            }
            float rounded = switch (type) {
                case FLOAT16 -> Half.toFloat(Half.fromFloat((float) largest));
                case BFLOAT16 -> Half.bfloatToFloat(Half.bfloatFromFloat((float) largest));
                case FLOAT -> (float) largest;
                default -> 0;
            };
            if (Float.isInfinite(rounded)) {
                throw new InvalidInputException("Weight " + weight + " has an entry of magnitude " + largest
                        + ", which "
                        + type + ", the type of its tensor in the file, cannot hold; begin with a model in float32"
                        + (type == TensorProto.DataType.FLOAT16 ? " or bfloat16" : "")
                        + ", or train with a lower rate");
            }
        }

        @Override
        public void forEachPiece(int most, Consumer consumer) throws IOException {
            INDArray flat = values.dup('c').reshape(values.length());
            int bytes = StoredNumbers.bytesPerElement(type);
            long each = Math.max(1, most / bytes);
            for (long start = 0; start < flat.length(); start += each) {
                long end = Math.min(flat.length(), start + each);
                INDArray part = flat.get(NDArrayIndex.interval(start, end));
                consumer.accept(start * bytes, encoded(part, bytes));
            }
        }

        private ByteBuffer encoded(INDArray part, int bytes) {
            int count = (int) part.length();
            ByteBuffer encoded = ByteBuffer.allocate(count * bytes).order(ByteOrder.LITTLE_ENDIAN);
            if (type == TensorProto.DataType.DOUBLE) {
                encoded.asDoubleBuffer().put(part.toDoubleVector());
                return encoded;
            }
            for (float value : part.toFloatVector()) {
                switch (type) {
                    case FLOAT -> encoded.putFloat(value);
                    case FLOAT16 -> encoded.putShort(Half.fromFloat(value));
                    case BFLOAT16 -> encoded.putShort(Half.bfloatFromFloat(value));
                    default -> throw new IllegalStateException("no values of type " + type);
                }
            }
            return encoded.flip();
        }
    }
}
