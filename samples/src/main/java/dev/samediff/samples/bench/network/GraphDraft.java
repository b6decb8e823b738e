package dev.samediff.samples.bench.network;

import dev.samediff.importer.huggingface.GraphMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.OperatorSetIdProto;

/** An ONNX graph while it is made: nodes and small constants; the weights are only named. */
final class GraphDraft {
    private final GraphMessage message = new GraphMessage();
    private final List<Weight> weights = new ArrayList<>();

    /** Returns the model without its graph. */
    ModelProto frame() {
        return ModelProto.newBuilder()
                .setIrVersion(8)
                .setProducerName("samediff-adapters bench")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(GraphMessage.OPSET))
                .build();
    }

    /** Returns the graph without its weights. */
    GraphProto graph() {
        return message.build("gpt");
    }

    /** Returns what nodes are added to. */
    GraphMessage message() {
        return message;
    }

    List<Weight> weights() {
        return weights;
    }

    /** Adds a weight and returns its name. */
    String weight(String name, double mean, double deviation, long... shape) {
        weights.add(new Weight(name, LongStream.of(shape).boxed().toList(), mean, deviation));
        return name;
    }
}
