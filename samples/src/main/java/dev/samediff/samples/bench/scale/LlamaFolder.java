package dev.samediff.samples.bench.scale;

import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.samples.bench.network.SafetensorsHead;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.SplittableRandom;

/** Writes a Hugging Face folder of a shape, with random bfloat16 numbers; a model of a billion takes some ten seconds. */
public final class LlamaFolder {
    private static final String TYPE = "BF16";
    private static final double DEVIATION = 0.02;
    private static final short ONE = 0x3f80;

    /** Normally distributed numbers to choose from. */
    private static final int CHOICES = 1 << 16;

    private static final int PIECE = 1 << 20;

    private LlamaFolder() {}

    /**
     * Writes a folder, unless it is there.
     *
     * @return the folder
     * @throws IOException if it cannot be written
     */
    public static Path write(LlamaShape shape, Path folder) throws IOException {
        SafetensorsHead head = new SafetensorsHead();
        shape.tensors().forEach(tensor -> head.add(tensor.name(), TYPE, tensor.shape(), Short.BYTES * tensor.length()));
        Path weights = folder.resolve("model.safetensors");
        if (!Files.exists(weights) || Files.size(weights) != head.size()) {
            Files.createDirectories(folder);
            DurableFiles.writeText(folder.resolve("config.json"), shape.config().toPrettyString());
            DurableFiles.write(weights, out -> {
                out.write(head.bytes());
                short[] normal = normal();
                for (LlamaShape.Tensor tensor : shape.tensors()) {
                    write(tensor, normal, out);
                }
            });
        }
        return folder;
    }

    private static short[] normal() {
        Random random = new Random(1);
        short[] numbers = new short[CHOICES];
        for (int i = 0; i < CHOICES; i++) {
            numbers[i] = (short) (Float.floatToIntBits((float) (random.nextGaussian() * DEVIATION)) >>> 16);
        }
        return numbers;
    }

    private static void write(LlamaShape.Tensor tensor, short[] normal, OutputStream out) throws IOException {
        SplittableRandom random = new SplittableRandom(tensor.name().hashCode());
        ByteBuffer piece = ByteBuffer.allocate(PIECE).order(ByteOrder.LITTLE_ENDIAN);
        for (long left = Short.BYTES * tensor.length(); left > 0; left -= piece.limit()) {
            piece.clear().limit((int) Math.min(PIECE, left));
            while (piece.hasRemaining()) {
                long bits = random.nextLong();
                for (int i = 0; i < Long.BYTES / Short.BYTES && piece.hasRemaining(); i++) {
                    piece.putShort(tensor.isNorm() ? ONE : normal[(int) (bits & (CHOICES - 1))]);
                    bits >>>= 16;
                }
            }
            out.write(piece.array(), 0, piece.limit());
        }
    }
}
