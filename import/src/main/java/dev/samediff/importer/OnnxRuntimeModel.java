package dev.samediff.importer;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import ai.onnxruntime.platform.Fp16Conversions;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** An ONNX file in ONNX Runtime on one thread, fed and read with ND4J arrays: the reference an import is held against. */
final class OnnxRuntimeModel implements AutoCloseable {
    /** Held, or its level would be lost: it prints stack traces of what the exception says. */
    private static final Logger UNPACKING = Logger.getLogger("ai.onnxruntime.OnnxRuntime");

    private final OrtEnvironment environment = environment();
    private final OrtSession session;
    private final Map<String, OnnxJavaType> types;
    private final Path file;

    OnnxRuntimeModel(Path file) {
        this.file = file;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            this.session = environment.createSession(file.toString(), options);
            this.types = types();
        } catch (OrtException e) {
            throw new InvalidInputException("ONNX Runtime cannot load " + file + ": " + e.getMessage(), e);
        }
    }

    /** Loads the library, which ONNX Runtime unpacks into the temporary folder. */
    private static OrtEnvironment environment() {
        Level before = UNPACKING.getLevel();
        UNPACKING.setLevel(Level.OFF);
        try {
            return OrtEnvironment.getEnvironment();
        } catch (LinkageError e) {
            throw new UncheckedIOException(new IOException(
                    "ONNX Runtime's library cannot be loaded; it is unpacked into the temporary folder "
                            + System.getProperty("java.io.tmpdir")
                            + ": name one that exists and has 40 MB left, by TMPDIR=DIR samples/run ... or"
                            + " -Djava.io.tmpdir=DIR",
                    e));
        } finally {
            UNPACKING.setLevel(before);
        }
    }

    /** Every output of the file, by name and in the file's order. */
    Map<String, INDArray> run(Map<String, INDArray> inputs) {
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, INDArray> input : inputs.entrySet()) {
                tensors.put(input.getKey(), tensor(input.getKey(), input.getValue()));
            }
            try (OrtSession.Result result = session.run(tensors)) {
                Map<String, INDArray> outputs = new LinkedHashMap<>();
                for (Map.Entry<String, OnnxValue> output : result) {
                    outputs.put(output.getKey(), array(output.getKey(), output.getValue()));
                }
                return outputs;
            }
        } catch (OrtException e) {
            throw new InvalidInputException(
                    "ONNX Runtime cannot run " + file + " on inputs " + shapes(inputs) + ": " + e.getMessage(), e);
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    private OnnxTensor tensor(String name, INDArray array) throws OrtException {
        long[] shape = array.shape();
        INDArray flat = array.isEmpty() ? array : array.dup('c').reshape(array.length());
        boolean empty = array.isEmpty();
        OnnxJavaType wanted = types.getOrDefault(name, OnnxJavaType.UNKNOWN);
        switch (wanted) {
            case FLOAT16, BFLOAT16 -> {
                return OnnxTensor.createTensor(environment, halves(flat, wanted), shape, wanted);
            }
            case INT8, UINT8 -> {
                return OnnxTensor.createTensor(environment, bytes(flat), shape, wanted);
            }
            default -> {
                // the array's own type
            }
        }
        return switch (array.dataType()) {
            case FLOAT ->
                OnnxTensor.createTensor(
                        environment, FloatBuffer.wrap(empty ? new float[0] : flat.toFloatVector()), shape);
            case DOUBLE ->
                OnnxTensor.createTensor(
                        environment, DoubleBuffer.wrap(empty ? new double[0] : flat.toDoubleVector()), shape);
            case LONG ->
                OnnxTensor.createTensor(environment, LongBuffer.wrap(empty ? new long[0] : flat.toLongVector()), shape);
            case INT ->
                OnnxTensor.createTensor(environment, IntBuffer.wrap(empty ? new int[0] : flat.toIntVector()), shape);
            case BOOL -> OnnxTensor.createTensor(environment, truths(flat), shape, OnnxJavaType.BOOL);
            default ->
                throw new InvalidInputException(
                        "Input " + name + " of " + file + " has type " + array.dataType()
                                + "; FLOAT, FLOAT16, DOUBLE, INT64, INT32, INT8, UINT8 and BOOL inputs can be given to ONNX Runtime here");
        };
    }

    private static ByteBuffer truths(INDArray flat) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(length(flat));
        for (int i = 0; i < bytes.capacity(); i++) {
            bytes.put((byte) (flat.getDouble(i) != 0 ? 1 : 0));
        }
        return bytes.flip();
    }

    private static ByteBuffer bytes(INDArray flat) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(length(flat));
        for (int i = 0; i < bytes.capacity(); i++) {
            bytes.put((byte) flat.getInt(i));
        }
        return bytes.flip();
    }

    private static ByteBuffer halves(INDArray flat, OnnxJavaType type) {
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(Math.multiplyExact(2, length(flat))).order(ByteOrder.nativeOrder());
        for (int i = 0; i < bytes.capacity() / 2; i++) {
            float value = flat.getFloat(i);
            bytes.putShort(
                    type == OnnxJavaType.FLOAT16
                            ? Fp16Conversions.floatToFp16(value)
                            : Fp16Conversions.floatToBf16(value));
        }
        return bytes.flip();
    }

    private static int length(INDArray flat) {
        return flat.isEmpty() ? 0 : Math.toIntExact(flat.length());
    }

    /** Whether an output is of half precision. */
    boolean isHalf(String output) {
        try {
            NodeInfo node = session.getOutputInfo().get(output);
            return node != null
                    && node.getInfo() instanceof TensorInfo info
                    && (info.type == OnnxJavaType.FLOAT16 || info.type == OnnxJavaType.BFLOAT16);
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime does not tell the outputs of " + file, e);
        }
    }

    private Map<String, OnnxJavaType> types() throws OrtException {
        Map<String, OnnxJavaType> found = new HashMap<>();
        session.getInputInfo().forEach((name, node) -> {
            if (node.getInfo() instanceof TensorInfo info) {
                found.put(name, info.type);
            }
        });
        return found;
    }

    private INDArray array(String name, OnnxValue value) throws OrtException {
        if (!(value instanceof OnnxTensor tensor)) {
            throw new InvalidInputException("Output " + name + " of " + file + " is no tensor but " + value.getType()
                    + "; only tensors compare");
        }
        TensorInfo info = tensor.getInfo();
        long[] shape = info.getShape();
        if (info.getNumElements() == 0) {
            return Nd4j.create(DataType.FLOAT, shape);
        }
        INDArray flat = switch (info.type) {
            case FLOAT, FLOAT16, BFLOAT16 -> Nd4j.createFromArray(copy(tensor.getFloatBuffer()));
            case DOUBLE -> Nd4j.createFromArray(copy(tensor.getDoubleBuffer()));
            case INT64 -> Nd4j.createFromArray(copy(tensor.getLongBuffer()));
            case INT32 -> Nd4j.createFromArray(copy(tensor.getIntBuffer()));
            case BOOL -> Nd4j.createFromArray(truths(tensor.getByteBuffer()));
            case INT8 -> Nd4j.createFromArray(copy(tensor.getByteBuffer(), -1));
            case UINT8 -> Nd4j.createFromArray(copy(tensor.getByteBuffer(), 0xff));
            case INT16 -> Nd4j.createFromArray(copy(tensor.getShortBuffer()));
            default ->
                throw new InvalidInputException(
                        "Output " + name + " of " + file + " has type " + info.type + ", which cannot be compared");
        };
        return flat.reshape('c', shape);
    }

    private static float[] copy(FloatBuffer buffer) {
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    private static double[] copy(DoubleBuffer buffer) {
        double[] values = new double[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    private static long[] copy(LongBuffer buffer) {
        long[] values = new long[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    private static int[] copy(IntBuffer buffer) {
        int[] values = new int[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    /** Bytes with their sign (mask -1) or without (mask 255). */
    private static int[] copy(ByteBuffer buffer, int mask) {
        int[] values = new int[buffer.remaining()];
        for (int i = 0; i < values.length; i++) {
            values[i] = buffer.get() & mask;
        }
        return values;
    }

    private static int[] copy(ShortBuffer buffer) {
        int[] values = new int[buffer.remaining()];
        for (int i = 0; i < values.length; i++) {
            values[i] = buffer.get();
        }
        return values;
    }

    private static boolean[] truths(ByteBuffer buffer) {
        boolean[] values = new boolean[buffer.remaining()];
        for (int i = 0; i < values.length; i++) {
            values[i] = buffer.get(i) != 0;
        }
        return values;
    }

    private static String shapes(Map<String, INDArray> inputs) {
        StringBuilder text = new StringBuilder();
        inputs.forEach((name, array) -> text.append(text.isEmpty() ? "" : ", ")
                .append(name)
                .append(' ')
                .append(Arrays.toString(array.shape())));
        return text.toString();
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime did not close its session on " + file, e);
        }
    }
}
