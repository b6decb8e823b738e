package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import org.nd4j.shade.protobuf.CodedInputStream;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;

/**
 * An ONNX file that was read and checked.
 *
 * @param path the file
 * @param producer who wrote it, with version
 * @param nodeCount number of nodes in the file, dead ones included
 * @param operators how often each operator occurs
 * @param graph the graph
 */
public record OnnxFile(Path path, String producer, int nodeCount, Map<String, Integer> operators, OnnxGraph graph) {
    private static final int OLDEST_OPSET = 9;
    private static final int NEWEST_OPSET = 18;

    /**
     * Reads a file.
     *
     * @throws InvalidInputException if it is missing, damaged, not ONNX, or of an operator set that is not known
     */
    public static OnnxFile read(Path path) {
        ModelProto model = parse(path);
        if (!model.hasGraph()
                || model.getGraph().getNodeCount() == 0
                || model.getGraph().getOutputCount() == 0) {
            throw new InvalidInputException(path
                    + " is not an ONNX model: it has no nodes or no outputs; give a file written by torch.onnx.export");
        }
        Map<String, Integer> operators = new TreeMap<>();
        for (NodeProto node : model.getGraph().getNodeList()) {
            operators.merge(new OnnxNode(node).operator(), 1, Integer::sum);
        }
        try {
            OnnxGraph graph = new OnnxGraph(model.getGraph(), opset(path, model), new ExternalData(path));
            String producer = (model.getProducerName() + " " + model.getProducerVersion()).trim();
            return new OnnxFile(path, producer, model.getGraph().getNodeCount(), operators, graph);
        } catch (InvalidInputException e) {
            throw new InvalidInputException(path + ": " + e.getMessage(), e);
        }
    }

    private static ModelProto parse(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new InvalidInputException(path + " does not exist or is not a file; give the path of an .onnx file");
        }
        try (InputStream stream = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
            CodedInputStream coded = CodedInputStream.newInstance(stream);
            coded.setSizeLimit(Integer.MAX_VALUE);
            return untied(ModelProto.parseFrom(coded));
        } catch (InvalidProtocolBufferException e) {
            throw new InvalidInputException(
                    path + " is not a complete ONNX file (" + e.getMessage()
                            + "); it may be truncated or of another format: export or copy it again",
                    e);
        } catch (IOException e) {
            throw new InvalidInputException(path + " cannot be read: " + e, e);
        }
    }

    private static ModelProto untied(ModelProto model) {
        OnnxWeightEditor editor = new OnnxWeightEditor(model);
        editor.untie();
        return editor.build();
    }

    private static int opset(Path path, ModelProto model) {
        for (OperatorSetIdProto set : model.getOpsetImportList()) {
            if (set.getDomain().isEmpty() || set.getDomain().equals("ai.onnx")) {
                if (set.getVersion() < OLDEST_OPSET || set.getVersion() > NEWEST_OPSET) {
                    throw new InvalidInputException(path + " uses ONNX operator set " + set.getVersion() + "; "
                            + OLDEST_OPSET + " to " + NEWEST_OPSET
                            + " can be imported: export with opset_version=17");
                }
                return (int) set.getVersion();
            }
        }
        throw new InvalidInputException(path + " names no ONNX operator set; the file is damaged: export it again");
    }
}
