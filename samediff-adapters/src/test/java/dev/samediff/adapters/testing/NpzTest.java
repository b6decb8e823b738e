package dev.samediff.adapters.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class NpzTest {
    @Test
    void reads_both_orders_and_every_type(@TempDir Path dir) throws Exception {
        Path file = dir.resolve("a.npz");
        try (OutputStream out = Files.newOutputStream(file);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            put(zip, "c", "<f4", "False", "(2, 3)", b -> b.asFloatBuffer().put(new float[] {1, 2, 3, 4, 5, 6}), 24);
            put(zip, "f", "<f8", "True", "(2, 3)", b -> b.asDoubleBuffer().put(new double[] {1, 4, 2, 5, 3, 6}), 48);
            put(zip, "l", "<i8", "False", "(2,)", b -> b.asLongBuffer().put(new long[] {7, -8}), 16);
            put(zip, "b", "|b1", "False", "(3,)", b -> b.put(new byte[] {1, 0, 1}), 3);
            put(zip, "s", "<f8", "False", "()", b -> b.putDouble(2.5), 8);
        }
        Map<String, INDArray> arrays = Npz.read(file);
        assertThat(Npz.get(arrays, "c").toFloatMatrix()).isDeepEqualTo(new float[][] {{1, 2, 3}, {4, 5, 6}});
        assertThat(Npz.get(arrays, "f").toDoubleMatrix()).isDeepEqualTo(new double[][] {{1, 2, 3}, {4, 5, 6}});
        assertThat(Npz.get(arrays, "f").ordering()).isEqualTo('c');
        assertThat(Npz.get(arrays, "l").toLongVector()).containsExactly(7, -8);
        assertThat(Npz.get(arrays, "b").dataType()).isEqualTo(DataType.BOOL);
        assertThat(Npz.get(arrays, "b").getDouble(1)).isZero();
        assertThat(Npz.get(arrays, "s").getDouble(0)).isEqualTo(2.5);
        assertThat(Npz.get(arrays, "s").rank()).isZero();
    }

    @Test
    void reads_the_golden_output() throws Exception {
        INDArray y = Npz.readArray(SharedFiles.require("golden/adapters/base_out.npy"));
        assertThat(y.rank()).isEqualTo(2);
        assertThat(y.dataType()).isEqualTo(DataType.FLOAT);
    }

    private interface Fill {
        Object into(ByteBuffer buffer);
    }

    private static void put(
            ZipOutputStream zip, String name, String type, String fortran, String shape, Fill fill, int bytes)
            throws Exception {
        String header = "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
        ByteBuffer data = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        fill.into(data);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(0x93);
        out.writeBytes("NUMPY".getBytes(StandardCharsets.US_ASCII));
        out.write(1);
        out.write(0);
        out.write(header.length());
        out.write(0);
        out.writeBytes(header.getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(data.array());
        zip.putNextEntry(new ZipEntry(name + ".npy"));
        zip.write(out.toByteArray());
        zip.closeEntry();
    }
}
