package dev.samediff.adapters.testing;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reads numpy's {@code .npz} and {@code .npy} files: little-endian float32, float64, int32, int64 and bool, in C or
 * Fortran order. Results are C-order arrays of the same data type.
 */
public final class Npz {
    private static final Pattern DESCR = Pattern.compile("'descr':\\s*'([^']*)'");
    private static final Pattern FORTRAN = Pattern.compile("'fortran_order':\\s*(True|False)");
    private static final Pattern SHAPE = Pattern.compile("'shape':\\s*\\(([^)]*)\\)");

    private Npz() {}

    /** Reads every array of an {@code .npz} file, by name. */
    public static Map<String, INDArray> read(Path npz) throws IOException {
        Map<String, INDArray> arrays = new LinkedHashMap<>();
        try (InputStream file = Files.newInputStream(npz);
                ZipInputStream zip = new ZipInputStream(file)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                String name = entry.getName().replaceFirst("\\.npy$", "");
                arrays.put(name, parse(zip.readAllBytes(), npz + "!" + name));
            }
        }
        return arrays;
    }

    /** Reads one {@code .npy} file. */
    public static INDArray readArray(Path npy) throws IOException {
        return parse(Files.readAllBytes(npy), npy.toString());
    }

    /** Returns an array of a file by name, and fails with the names there are if there is none. */
    public static INDArray get(Map<String, INDArray> arrays, String name) {
        INDArray array = arrays.get(name);
        if (array == null) {
            throw new AssertionError("there is no array " + name + "; there are " + arrays.keySet());
        }
        return array;
    }

    private static INDArray parse(byte[] bytes, String where) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < 12
                || bytes[0] != (byte) 0x93
                || !"NUMPY".equals(new String(bytes, 1, 5, StandardCharsets.ISO_8859_1))) {
            throw new IOException(where + " is not a .npy array");
        }
        int start = bytes[6] == 1 ? 10 : 12;
        int length = bytes[6] == 1 ? buffer.getShort(8) & 0xffff : buffer.getInt(8);
        String header = new String(bytes, start, length, StandardCharsets.UTF_8);
        long[] shape = shape(find(SHAPE, header, where));
        boolean fortran = find(FORTRAN, header, where).equals("True");
        ByteBuffer data = buffer.position(start + length).slice().order(ByteOrder.LITTLE_ENDIAN);
        return array(data, find(DESCR, header, where), shape, fortran, where);
    }

    private static INDArray array(ByteBuffer data, String descr, long[] shape, boolean fortran, String where)
            throws IOException {
        DataType type = switch (descr) {
            case "<f4" -> DataType.FLOAT;
            case "<f8" -> DataType.DOUBLE;
            case "<i4" -> DataType.INT;
            case "<i8" -> DataType.LONG;
            case "|b1" -> DataType.BOOL;
            case "|u1" -> DataType.UBYTE;
            default -> throw new IOException(where + " has the unsupported data type " + descr);
        };
        int n = 1;
        for (long d : shape) {
            n = Math.multiplyExact(n, Math.toIntExact(d));
        }
        if (n == 0) {
            return Nd4j.create(type, shape);
        }
        INDArray flat = flat(data, type, n);
        if (!fortran || shape.length < 2) {
            return flat.reshape('c', shape);
        }
        int[] reversed = new int[shape.length];
        long[] reversedShape = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            reversed[i] = shape.length - 1 - i;
            reversedShape[i] = shape[shape.length - 1 - i];
        }
        return flat.reshape('c', reversedShape).permute(reversed).dup('c');
    }

    private static INDArray flat(ByteBuffer data, DataType type, int n) {
        switch (type) {
            case FLOAT -> {
                float[] values = new float[n];
                data.asFloatBuffer().get(values);
                return Nd4j.createFromArray(values);
            }
            case DOUBLE -> {
                double[] values = new double[n];
                data.asDoubleBuffer().get(values);
                return Nd4j.createFromArray(values);
            }
            case UBYTE -> {
                int[] values = new int[n];
                for (int i = 0; i < n; i++) {
                    values[i] = data.get(i) & 0xff;
                }
                return Nd4j.createFromArray(values).castTo(DataType.UBYTE);
            }
            case INT -> {
                int[] values = new int[n];
                data.asIntBuffer().get(values);
                return Nd4j.createFromArray(values);
            }
            case LONG -> {
                long[] values = new long[n];
                data.asLongBuffer().get(values);
                return Nd4j.createFromArray(values);
            }
            default -> {
                boolean[] values = new boolean[n];
                for (int i = 0; i < n; i++) {
                    values[i] = data.get() != 0;
                }
                return Nd4j.createFromArray(values);
            }
        }
    }

    private static long[] shape(String text) {
        String[] parts = text.replaceAll("[\\sL]|,\\s*$", "").split(",", -1);
        if (parts.length == 1 && parts[0].isEmpty()) {
            return new long[0];
        }
        long[] shape = new long[parts.length];
        for (int i = 0; i < parts.length; i++) {
            shape[i] = Long.parseLong(parts[i]);
        }
        return shape;
    }

    private static String find(Pattern pattern, String header, String where) throws IOException {
        Matcher m = pattern.matcher(header);
        if (!m.find()) {
            throw new IOException(where + " has an unreadable header: " + header);
        }
        return m.group(1);
    }
}
