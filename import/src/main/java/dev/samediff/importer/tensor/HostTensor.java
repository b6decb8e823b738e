package dev.samediff.importer.tensor;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A small tensor in row-major order whose elements are known while importing: whole numbers and truth values as
 * {@code long}, floating point as {@code double} (rounded to float for FLOAT), or sizes that may be symbolic.
 */
public final class HostTensor {
    /** Tensors with more elements are not folded. */
    public static final long LIMIT = 1L << 22;

    /** ND4J holds no tensors with more axes. */
    public static final int MOST_AXES = 32;

    private static final int MOST_SIZES = 1 << 12;

    private final DataType type;
    private final long[] shape;
    private final long @Nullable [] longs;
    private final double @Nullable [] doubles;
    private final Dim @Nullable [] dims;

    private HostTensor(
            DataType type, long[] shape, long @Nullable [] longs, double @Nullable [] doubles, Dim @Nullable [] dims) {
        this.type = type;
        this.shape = shape;
        this.longs = longs;
        this.doubles = doubles;
        this.dims = dims;
    }

    /** Creates a tensor of whole numbers, wrapped to the type, or truth values (BOOL, 0 or 1). */
    public static HostTensor of(DataType type, long[] shape, long[] values) {
        checkLength(shape, values.length);
        return new HostTensor(type, shape.clone(), wrap(type, values), null, null);
    }

    /** Creates a tensor of floating-point numbers (FLOAT, DOUBLE). */
    public static HostTensor of(DataType type, long[] shape, double[] values) {
        checkLength(shape, values.length);
        double[] rounded = values.clone();
        if (type == DataType.FLOAT) {
            Arrays.setAll(rounded, i -> (float) values[i]);
        }
        return new HostTensor(type, shape.clone(), null, rounded, null);
    }

    /** Creates a tensor of sizes; a plain tensor of whole numbers if all are known. */
    public static HostTensor of(DataType type, long[] shape, Dim[] values) {
        checkLength(shape, values.length);
        if (Arrays.stream(values).allMatch(Dim::isKnown)) {
            return of(type, shape, Arrays.stream(values).mapToLong(Dim::known).toArray());
        }
        return new HostTensor(type, shape.clone(), null, null, values.clone());
    }

    /** Creates a vector of 64-bit whole numbers. */
    public static HostTensor vector(long... values) {
        return of(DataType.LONG, new long[] {values.length}, values);
    }

    /** Creates a vector of sizes. */
    public static HostTensor vector(List<Dim> values) {
        return of(DataType.LONG, new long[] {values.size()}, values.toArray(new Dim[0]));
    }

    /** Creates a tensor with one value everywhere. */
    public static HostTensor filled(DataType type, long[] shape, double value) {
        int length = Math.toIntExact(length(shape));
        if (type.isFPType()) {
            double[] values = new double[length];
            Arrays.fill(values, value);
            return of(type, shape, values);
        }
        long[] values = new long[length];
        Arrays.fill(values, (long) value);
        return of(type, shape, values);
    }

    private static long[] wrap(DataType type, long[] values) {
        long[] wrapped = new long[values.length];
        Arrays.setAll(wrapped, i -> wrap(type, values[i]));
        return wrapped;
    }

    private static long wrap(DataType type, long value) {
        return switch (type) {
            case INT -> (int) value;
            case SHORT -> (short) value;
            case BYTE -> (byte) value;
            case UINT32 -> value & 0xffffffffL;
            case UINT16 -> value & 0xffff;
            case UBYTE -> value & 0xff;
            case BOOL -> value == 0 ? 0 : 1;
            default -> value;
        };
    }

    /**
     * Returns a real number as a whole one, rounded towards zero, as x86 does it and ONNX Runtime with it: what a type of 32
     * bits or fewer cannot hold is the lowest INT, what a wider one cannot hold is the lowest LONG, both cut to the type.
     */
    public static long whole(DataType type, double value) {
        if (type == DataType.BOOL) {
            return value == 0 ? 0 : 1;
        }
        boolean wide = type == DataType.LONG || type == DataType.UINT32 || type == DataType.UINT64;
        double limit = wide ? 0x1p63 : 0x1p31;
        double cut = value < 0 ? Math.ceil(value) : Math.floor(value);
        boolean held = cut >= -limit && cut < limit;
        return wrap(type, held ? (long) cut : wide ? Long.MIN_VALUE : Integer.MIN_VALUE);
    }

    private static void checkLength(long[] shape, int length) {
        if (length(shape) != length) {
            throw new IllegalArgumentException(
                    "shape " + Arrays.toString(shape) + " does not hold " + length + " elements");
        }
    }

    /** Returns the number of elements of a shape; -1 if it is negative or too large to count. */
    public static long length(long[] shape) {
        long length = 1;
        for (long size : shape) {
            if (size < 0 || (size > 0 && length > Long.MAX_VALUE / size)) {
                return -1;
            }
            length *= size;
        }
        return length;
    }

    /** Returns the element type. */
    public DataType type() {
        return type;
    }

    /** Returns the shape. */
    public long[] shape() {
        return shape.clone();
    }

    /** Returns the number of axes. */
    public int rank() {
        return shape.length;
    }

    /** Returns the number of elements. */
    public int length() {
        return (int) length(shape);
    }

    /** Tells whether some element is a size that is not known yet. */
    public boolean isSymbolic() {
        return dims != null;
    }

    /** Tells whether the elements are floating-point numbers. */
    public boolean isFloating() {
        return doubles != null;
    }

    /** Tells whether this is one known number of rank 0 or with a single element. */
    public boolean isSingle() {
        return length() == 1 && !isSymbolic();
    }

    /** Returns element {@code index} as a whole number. */
    public long asLong(int index) {
        if (longs != null) {
            return longs[index];
        }
        return doubles != null ? (long) doubles[index] : dim(index).known();
    }

    /** Returns element {@code index} as a floating-point number. */
    public double asDouble(int index) {
        return doubles != null ? doubles[index] : asLong(index);
    }

    /** Returns element {@code index} as a size. */
    public Dim dim(int index) {
        return dims != null ? dims[index] : Dim.of(asLong(index));
    }

    /** Returns all elements as whole numbers. */
    public long[] asLongs() {
        long[] values = new long[length()];
        Arrays.setAll(values, this::asLong);
        return values;
    }

    /** Returns all elements as floating-point numbers. */
    public double[] asDoubles() {
        double[] values = new double[length()];
        Arrays.setAll(values, this::asDouble);
        return values;
    }

    /**
     * Returns all elements as sizes.
     *
     * @throws InvalidInputException if there are far more than any shape has
     */
    public List<Dim> asDims() {
        if (length() > MOST_SIZES) {
            throw new InvalidInputException(
                    length() + " numbers are taken for sizes; up to " + MOST_SIZES + " can be" + NotValid.ONNX);
        }
        Dim[] values = new Dim[length()];
        Arrays.setAll(values, this::dim);
        return List.of(values);
    }

    /** Returns the tensor whose element i is this tensor's element {@code source[i]}. */
    public HostTensor select(long[] newShape, int[] source) {
        if (longs != null) {
            long[] from = longs;
            return of(
                    type,
                    newShape,
                    Arrays.stream(source).mapToLong(i -> from[i]).toArray());
        }
        if (doubles != null) {
            double[] from = doubles;
            return of(
                    type,
                    newShape,
                    Arrays.stream(source).mapToDouble(i -> from[i]).toArray());
        }
        return of(type, newShape, Arrays.stream(source).mapToObj(this::dim).toArray(Dim[]::new));
    }

    /** Returns the same elements in another shape of the same length. */
    public HostTensor reshaped(long... newShape) {
        checkLength(newShape, length());
        return new HostTensor(type, newShape.clone(), longs, doubles, dims);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HostTensor tensor
                && type == tensor.type
                && Arrays.equals(shape, tensor.shape)
                && Arrays.equals(longs, tensor.longs)
                && Arrays.equals(doubles, tensor.doubles)
                && Arrays.equals(dims, tensor.dims);
    }

    @Override
    public int hashCode() {
        int values = longs != null
                ? Arrays.hashCode(longs)
                : doubles != null ? Arrays.hashCode(doubles) : Arrays.hashCode(dims);
        return 31 * (31 * type.hashCode() + Arrays.hashCode(shape)) + values;
    }

    @Override
    public String toString() {
        String values = length() > 16 ? length() + " elements" : asText();
        return type + Arrays.toString(shape) + " " + values;
    }

    private String asText() {
        return doubles != null ? Arrays.toString(doubles) : asDims().toString();
    }
}
