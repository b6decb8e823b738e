package dev.samediff.importer.tensorflow;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tensorflow.Graph;
import org.tensorflow.RawTensor;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.framework.GraphDef;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.family.TType;

/** What TensorFlow makes of a graph: the reference everything is compared with. */
public final class TensorFlowRuntime {
    private TensorFlowRuntime() {}

    /** Skips the test where no build of TensorFlow is on the class path. */
    public static void require() {
        String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        Assumptions.assumeTrue(
                system.toLowerCase(Locale.ROOT).equals("linux amd64"),
                "the tests' TensorFlow library is for linux-x86_64 only; this is " + system);
    }

    /** Loads a graph into TensorFlow. */
    static Graph graph(GraphDef definition) {
        Graph graph = new Graph();
        try {
            graph.importGraphDef(org.tensorflow.proto.GraphDef.parseFrom(definition.toByteArray()));
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
        return graph;
    }

    /** Runs a graph once and returns the tensors of the given names. */
    public static Map<String, INDArray> run(GraphDef definition, Map<String, INDArray> inputs, String... wanted) {
        try (Graph graph = graph(definition);
                Session session = new Session(graph)) {
            return run(session, inputs, List.of(), wanted);
        }
    }

    static Map<String, INDArray> run(
            Session session, Map<String, INDArray> inputs, List<String> targets, String... wanted) {
        Session.Runner runner = session.runner();
        List<Tensor> given = new ArrayList<>();
        inputs.forEach((name, value) -> {
            Tensor tensor = tensor(value);
            given.add(tensor);
            runner.feed(name, tensor);
        });
        targets.forEach(runner::addTarget);
        List.of(wanted).forEach(runner::fetch);
        try (Result result = runner.run()) {
            Map<String, INDArray> outputs = new LinkedHashMap<>();
            for (int i = 0; i < wanted.length; i++) {
                outputs.put(wanted[i], array(result.get(i).asRawTensor()));
            }
            return outputs;
        } finally {
            given.forEach(Tensor::close);
        }
    }

    private static Tensor tensor(INDArray value) {
        byte[] bytes = GraphWriter.tensor(value).getTensorContent().toByteArray();
        Class<? extends TType> type = switch (value.dataType()) {
            case FLOAT -> TFloat32.class;
            case LONG -> TInt64.class;
            case INT -> TInt32.class;
            default -> TBool.class;
        };
        return Tensor.of(type, Shape.of(value.shape()), DataBuffers.of(bytes));
    }

    private static INDArray array(RawTensor tensor) {
        byte[] content = new byte[(int) tensor.numBytes()];
        tensor.data().read(content);
        ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        long[] shape = tensor.shape().asArray();
        int count = (int) tensor.shape().size();
        INDArray flat = switch (tensor.dataType()) {
            case DT_FLOAT -> {
                float[] values = new float[count];
                bytes.asFloatBuffer().get(values);
                yield Nd4j.createFromArray(values);
            }
            case DT_INT64 -> {
                long[] values = new long[count];
                bytes.asLongBuffer().get(values);
                yield Nd4j.createFromArray(values);
            }
            case DT_INT32 -> {
                int[] values = new int[count];
                bytes.asIntBuffer().get(values);
                yield Nd4j.createFromArray(values);
            }
            default -> {
                boolean[] values = new boolean[count];
                for (int i = 0; i < count; i++) {
                    values[i] = content[i] != 0;
                }
                yield Nd4j.createFromArray(values);
            }
        };
        return flat.reshape(shape);
    }
}
