package dev.samediff.samples.bench.network;

import dev.samediff.adapters.io.DurableFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;
import org.nd4j.shade.protobuf.CodedOutputStream;

/** Writes a network as an ONNX file of any size; the numbers go to the disk as they are made. */
public final class GptFile {
    private static final long LAYER_BYTES_PER_SQUARE = 12L * Float.BYTES;
    private static final int CONTEXT = 1024;
    private static final int GPT2_VOCABULARY = 50257;

    private GptFile() {}

    /**
     * Writes a model whose numbers lie in a safetensors file beside it, to which it refers as ONNX's external data: so
     * whoever can read either format has the same weights.
     *
     * @param network its sizes; it has as many positions as the network's texts have tokens
     * @param model the ONNX file
     * @param weights the safetensors file, in the same folder; names are those of the graph's initialisers
     * @throws IOException if they cannot be written
     */
    public static void writeBeside(Network network, Path model, Path weights) throws IOException {
        GraphDraft draft = GptGraph.of(network, network.length());
        SafetensorsHead tensors = new SafetensorsHead();
        draft.weights().forEach(weight -> tensors.add(weight.name(), "F32", weight.shape(), weight.bytes()));
        byte[] head = tensors.bytes();
        DurableFiles.write(weights, out -> {
            out.write(head);
            for (Weight weight : draft.weights()) {
                weight.writeTo(out);
            }
        });
        GraphProto.Builder graph = draft.graph().toBuilder();
        long offset = head.length;
        String location = Objects.requireNonNull(weights.getFileName()).toString();
        for (Weight weight : draft.weights()) {
            graph.addInitializer(declared(weight)
                    .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                    .addExternalData(entry("location", location))
                    .addExternalData(entry("offset", Long.toString(offset)))
                    .addExternalData(entry("length", Long.toString(weight.bytes()))));
            offset += weight.bytes();
        }
        ModelProto whole = draft.frame().toBuilder().setGraph(graph).build();
        DurableFiles.write(model, whole::writeTo);
    }

    /**
     * Writes a model of GPT-2's width and vocabulary with its numbers inside.
     *
     * @param file the ONNX file
     * @param megabytes size of the file in units of 10^6 bytes, 400 and more
     * @throws IOException if it cannot be written; what was there before is untouched
     */
    public static void writeLarge(Path file, int megabytes) throws IOException {
        int width = 768;
        double tables = (2.0 * GPT2_VOCABULARY + CONTEXT) * width * Float.BYTES;
        long layers = Math.round((megabytes * 1e6 - tables) / (LAYER_BYTES_PER_SQUARE * width * width));
        Network network = new Network(width, Math.toIntExact(Math.max(1, layers)), 12, 1, CONTEXT, GPT2_VOCABULARY);
        GraphDraft draft = GptGraph.of(network, CONTEXT);
        DurableFiles.write(file, out -> {
            CodedOutputStream coded = CodedOutputStream.newInstance(out, 1 << 16);
            draft.frame().writeTo(coded);
            GraphProto small = draft.graph();
            long length = small.getSerializedSize();
            for (Weight weight : draft.weights()) {
                long size = size(weight);
                length += CodedOutputStream.computeTagSize(GraphProto.INITIALIZER_FIELD_NUMBER)
                        + CodedOutputStream.computeUInt64SizeNoTag(size)
                        + size;
            }
            coded.writeTag(ModelProto.GRAPH_FIELD_NUMBER, 2);
            coded.writeUInt64NoTag(length);
            small.writeTo(coded);
            for (Weight weight : draft.weights()) {
                coded.writeTag(GraphProto.INITIALIZER_FIELD_NUMBER, 2);
                coded.writeUInt64NoTag(size(weight));
                declared(weight).build().writeTo(coded);
                coded.writeTag(TensorProto.RAW_DATA_FIELD_NUMBER, 2);
                coded.writeUInt64NoTag(weight.bytes());
                coded.flush();
                weight.writeTo(out);
            }
            coded.flush();
        });
    }

    private static TensorProto.Builder declared(Weight weight) {
        return TensorProto.newBuilder()
                .setName(weight.name())
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addAllDims(weight.shape());
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static long size(Weight weight) {
        return declared(weight).build().getSerializedSize()
                + CodedOutputStream.computeTagSize(TensorProto.RAW_DATA_FIELD_NUMBER)
                + CodedOutputStream.computeUInt64SizeNoTag(weight.bytes())
                + weight.bytes();
    }
}
