package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import onnx.Onnx.TensorProto;

/**
 * A stored tensor [outer, size, inner] with another size, while it is read: more entries, each the mean of those that are there, or fewer.
 *
 * @param numbers the stored numbers
 * @param outer how many blocks there are
 * @param size how many entries a block has
 * @param inner how many numbers an entry has
 * @param wanted how many entries a block shall have
 */
record ResizedData(StoredNumbers numbers, long outer, long size, long inner, long wanted) implements TensorData {
    /**
     * Returns a tensor's data with another size along an axis.
     *
     * @throws InvalidInputException if it holds no real numbers
     */
    static ResizedData of(TensorProto tensor, int axis, long wanted, ExternalData files) {
        if (!WeightChains.isReal(tensor.getDataType())) {
            throw new InvalidInputException("`" + tensor.getName() + "` is stored as "
                    + TensorProto.DataType.forNumber(tensor.getDataType())
                    + ", whose vocabulary cannot be resized; resize it before the model is quantised");
        }
        long outer = 1;
        long inner = 1;
        for (int i = 0; i < tensor.getDimsCount(); i++) {
            outer *= i < axis ? tensor.getDims(i) : 1;
            inner *= i > axis ? tensor.getDims(i) : 1;
        }
        StoredNumbers numbers = new OnnxTensor(tensor.getName(), tensor, files, null).numbers();
        return new ResizedData(numbers, outer, tensor.getDims(axis), inner, wanted);
    }

    private int bytes() {
        return StoredNumbers.bytesPerElement(numbers.elementType());
    }

    @Override
    public long size() {
        return outer * wanted * inner * bytes();
    }

    @Override
    public void forEachPiece(int most, Consumer consumer) throws IOException {
        ByteBuffer means = wanted > size ? means() : ByteBuffer.allocate(0);
        Pieces pieces = new Pieces(most, consumer);
        long block = size * inner * bytes();
        long kept = Math.min(size, wanted) * inner * bytes();
        long[] place = {0};
        numbers.data().forEachPiece(most, (offset, piece) -> {
            while (piece.hasRemaining()) {
                long within = place[0] % block;
                int count = (int) Math.min(piece.remaining(), (within < kept ? kept : block) - within);
                if (within < kept) {
                    pieces.add(piece.slice(piece.position(), count));
                }
                piece.position(piece.position() + count);
                place[0] += count;
                if (place[0] % block == 0) {
                    int entry = Math.toIntExact(inner * bytes());
                    int start = Math.toIntExact((place[0] / block - 1) * entry);
                    for (long added = size; added < wanted; added++) {
                        pieces.add(means.slice(start, entry));
                    }
                }
            }
        });
        pieces.end();
    }

    /** The mean of the entries of each block, in double precision and in their order. */
    private ByteBuffer means() throws IOException {
        double[] sums = new double[Math.toIntExact(outer * inner)];
        int bytes = bytes();
        numbers.data().forEachPiece(1 << 18, (offset, piece) -> {
            long first = offset / bytes;
            for (int i = 0; i < piece.remaining() / bytes; i++) {
                long block = (first + i) / (size * inner);
                sums[(int) (block * inner + (first + i) % inner)] += numbers.real(piece, i);
            }
        });
        ByteBuffer means = ByteBuffer.allocate(sums.length * bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (double sum : sums) {
            double mean = sum / size;
            switch (numbers.elementType()) {
                case DOUBLE -> means.putDouble(mean);
                case FLOAT16 -> means.putShort(Half.fromFloat((float) mean));
                case BFLOAT16 -> means.putShort(Half.bfloatFromFloat((float) mean));
                default -> means.putFloat((float) mean);
            }
        }
        return means.flip();
    }

    /** Hands bytes on in pieces of one size. */
    private static final class Pieces {
        private final ByteBuffer buffer;
        private final Consumer consumer;
        private long done;

        Pieces(int most, Consumer consumer) {
            this.buffer = ByteBuffer.allocate(most).order(ByteOrder.LITTLE_ENDIAN);
            this.consumer = consumer;
        }

        void add(ByteBuffer bytes) throws IOException {
            while (bytes.hasRemaining()) {
                int count = Math.min(bytes.remaining(), buffer.remaining());
                buffer.put(bytes.slice(bytes.position(), count));
                bytes.position(bytes.position() + count);
                if (!buffer.hasRemaining()) {
                    end();
                }
            }
        }

        void end() throws IOException {
            buffer.flip();
            int count = buffer.remaining();
            if (count > 0) {
                consumer.accept(done, buffer);
            }
            done += count;
            buffer.clear();
        }
    }
}
