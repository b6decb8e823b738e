package dev.samediff.importer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What ONNX Runtime makes of a file: the reference every operator is compared with. */
final class Runtime implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    Runtime(Path file) {
        try {
            session = environment.createSession(file.toString());
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    Map<String, INDArray> run(Map<String, INDArray> inputs) {
        Map<String, OnnxTensor> given = new HashMap<>();
        try {
            for (Map.Entry<String, INDArray> input : inputs.entrySet()) {
                given.put(input.getKey(), tensor(environment, input.getValue()));
            }
            Map<String, INDArray> outputs = new LinkedHashMap<>();
            try (OrtSession.Result result = session.run(given)) {
                for (Map.Entry<String, ai.onnxruntime.OnnxValue> output : result) {
                    outputs.put(output.getKey(), array((OnnxTensor) output.getValue()));
                }
            }
            return outputs;
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        } finally {
            given.values().forEach(OnnxTensor::close);
        }
    }

    private static OnnxTensor tensor(OrtEnvironment environment, INDArray array) throws OrtException {
        INDArray dense = array.dup('c');
        return switch (array.dataType()) {
            case FLOAT ->
                OnnxTensor.createTensor(
                        environment, FloatBuffer.wrap(dense.data().asFloat()), array.shape());
            case LONG ->
                OnnxTensor.createTensor(
                        environment, LongBuffer.wrap(dense.data().asLong()), array.shape());
            case INT ->
                OnnxTensor.createTensor(environment, IntBuffer.wrap(dense.data().asInt()), array.shape());
            case BOOL -> {
                int[] values = dense.data().asInt();
                ByteBuffer bytes = ByteBuffer.allocateDirect(values.length);
                for (int value : values) {
                    bytes.put((byte) value);
                }
                yield OnnxTensor.createTensor(
                        environment, bytes.flip(), array.shape(), ai.onnxruntime.OnnxJavaType.BOOL);
            }
            default -> throw new IllegalArgumentException(array.dataType().toString());
        };
    }

    private static INDArray array(OnnxTensor tensor) {
        long[] shape = tensor.getInfo().getShape();
        INDArray flat = switch (tensor.getInfo().type) {
            case FLOAT -> {
                FloatBuffer buffer = tensor.getFloatBuffer();
                float[] values = new float[buffer.remaining()];
                buffer.get(values);
                yield Nd4j.createFromArray(values);
            }
            case INT64 -> {
                LongBuffer buffer = tensor.getLongBuffer();
                long[] values = new long[buffer.remaining()];
                buffer.get(values);
                yield Nd4j.createFromArray(values);
            }
            case INT32 -> {
                IntBuffer buffer = tensor.getIntBuffer();
                int[] values = new int[buffer.remaining()];
                buffer.get(values);
                yield Nd4j.createFromArray(values);
            }
            default -> {
                ByteBuffer buffer = tensor.getByteBuffer();
                boolean[] values = new boolean[buffer.remaining()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = buffer.get(i) != 0;
                }
                yield Nd4j.createFromArray(values);
            }
        };
        return flat.reshape(shape);
    }
}
