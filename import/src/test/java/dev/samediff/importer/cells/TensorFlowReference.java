package dev.samediff.importer.cells;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto.DataType;
import org.jspecify.annotations.Nullable;
import org.tensorflow.Graph;
import org.tensorflow.RawTensor;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.types.TBfloat16;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat16;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TFloat64;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TUint16;
import org.tensorflow.types.TUint8;
import org.tensorflow.types.family.TType;

/** What TensorFlow makes of a cell. */
final class TensorFlowReference {
    private TensorFlowReference() {}

    /** The result; null if TensorFlow does not have the operator for the type, or its Java classes not the type. */
    static @Nullable Numbers of(TensorFlowCell cell) {
        List<Tensor> given = new ArrayList<>();
        try (Graph graph = new Graph()) {
            graph.importGraphDef(
                    org.tensorflow.proto.GraphDef.parseFrom(cell.graph(false).toByteArray()));
            try (Session session = new Session(graph)) {
                Session.Runner runner = session.runner();
                for (Map.Entry<String, Numbers> input : cell.computed().entrySet()) {
                    Class<? extends TType> type = type(input.getValue().type());
                    if (type == null) {
                        return null;
                    }
                    byte[] bytes = input.getValue().proto("").getRawData().toByteArray();
                    Tensor tensor =
                            Tensor.of(type, Shape.of(input.getValue().shape()), DataBuffers.of(bytes));
                    given.add(tensor);
                    runner.feed(input.getKey(), tensor);
                }
                try (Result result = runner.fetch("y").run()) {
                    return numbers(result.get(0).asRawTensor());
                }
            }
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        } catch (RuntimeException notForThisType) {
            return null;
        } finally {
            given.forEach(Tensor::close);
        }
    }

    private static @Nullable Class<? extends TType> type(DataType type) {
        return switch (type) {
            case FLOAT -> TFloat32.class;
            case DOUBLE -> TFloat64.class;
            case FLOAT16 -> TFloat16.class;
            case BFLOAT16 -> TBfloat16.class;
            case INT64 -> TInt64.class;
            case INT32 -> TInt32.class;
            case UINT16 -> TUint16.class;
            case UINT8 -> TUint8.class;
            case BOOL -> TBool.class;
            default -> null;
        };
    }

    private static Numbers numbers(RawTensor tensor) {
        byte[] content = new byte[(int) tensor.numBytes()];
        tensor.data().read(content);
        ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        String name = tensor.dataType().name().substring("DT_".length());
        DataType type = DataType.valueOf(name.equals("HALF") ? "FLOAT16" : name);
        return Numbers.read(type, tensor.shape().asArray(), bytes);
    }
}
