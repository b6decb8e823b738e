package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.GivenFile;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.protobuf.CodedInputStream;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;
import org.nd4j.shade.protobuf.Message;
import org.nd4j.shade.protobuf.TextFormat;
import org.tensorflow.framework.GraphDef;
import org.tensorflow.framework.TensorInfo;

/**
 * A graph as it was read, with what a signature says about it.
 *
 * @param path the file or folder
 * @param producer TensorFlow with its version, as far as the file says
 * @param graph the graph
 * @param inputs the signature's inputs by their keys; empty for a GraphDef
 * @param outputs the signature's outputs by their keys; empty for a GraphDef
 * @param bundle the values of variables, if there are any
 */
record Source(
        Path path,
        String producer,
        GraphDef graph,
        Map<String, TensorInfo> inputs,
        Map<String, TensorInfo> outputs,
        @Nullable TensorBundle bundle) {
    private static final String SAVED_MODEL = "saved_model.pb";
    private static final long MOST_TEXT = 256L << 20;

    /**
     * Reads a frozen GraphDef or a SavedModel folder.
     *
     * @param signature which of a SavedModel's signatures; null: serving_default, or the only one
     * @throws InvalidInputException if it is missing, damaged or something else
     */
    static Source read(Path path, @Nullable String signature) {
        if (Files.isDirectory(path)) {
            return SavedModelFolder.read(path, signature);
        }
        if (!Files.isRegularFile(path)) {
            throw new InvalidInputException(
                    path + " does not exist; give a frozen graph (.pb) or the folder of a SavedModel");
        }
        if (String.valueOf(path.getFileName()).equals(SAVED_MODEL)) {
            return SavedModelFolder.read(path.toAbsolutePath().resolveSibling(""), signature);
        }
        GraphDef.Builder graph = GraphDef.newBuilder();
        if (String.valueOf(path.getFileName()).endsWith(".pbtxt")) {
            readText(path, graph);
        } else {
            parse(path, graph);
        }
        if (graph.getNodeCount() == 0) {
            throw new InvalidInputException(path
                    + " is not a TensorFlow graph: it has no nodes; give a frozen GraphDef or a SavedModel folder");
        }
        int producer = graph.getVersions().getProducer();
        return new Source(
                path,
                producer == 0 ? "TensorFlow" : "TensorFlow (GraphDef version " + producer + ")",
                graph.build(),
                Map.of(),
                Map.of(),
                null);
    }

    /** Parses a message of any size. */
    static void parse(Path file, Message.Builder into) {
        GivenFile.require(file, "a file of TensorFlow");
        try (InputStream stream = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            CodedInputStream coded = CodedInputStream.newInstance(stream);
            coded.setSizeLimit(Integer.MAX_VALUE);
            into.mergeFrom(coded);
        } catch (InvalidProtocolBufferException e) {
            throw new InvalidInputException(
                    file + " is not a complete TensorFlow file (" + e.getMessage()
                            + "); it may be truncated or of another format: export or copy it again",
                    e);
        } catch (IllegalStateException e) { // protobuf 3.21 adds lengths up beyond the largest int
            throw new InvalidInputException(
                    file
                            + " is not a complete TensorFlow file (a length in it leads behind its end); export or copy it again",
                    e);
        } catch (IOException e) {
            throw new InvalidInputException(file + " cannot be read: " + e, e);
        }
    }

    private static void readText(Path file, GraphDef.Builder into) {
        try {
            byte[] text = GivenFile.bytes(file, MOST_TEXT, "a GraphDef in text form");
            TextFormat.merge(
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(text))
                            .toString(),
                    into);
        } catch (IOException e) {
            throw new InvalidInputException(file + " is not a GraphDef in text form: " + e.getMessage(), e);
        }
    }
}
