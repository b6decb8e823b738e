package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;

/**
 * Reads an ONNX file without the numbers of its large tensors.
 *
 * <p>A large tensor comes out as one whose data lies in a file ({@code data_location = EXTERNAL}): in the model's own
 * file, at the offset where it was found. So a model of any size is a small message, no number is in memory twice, and
 * one way of reading ({@link ExternalData}) serves both kinds of files.
 *
 * <p>The messages on the way to a tensor are walked through as bytes: model, graph, initializer; and model, graph, node,
 * attribute, tensor or nested graph. Everything else is copied as it is.
 */
final class LeanModel {
    /** What {@code location} says of data in the model's own file; no file can have this name. */
    static final String OWN_FILE = "\0";

    /** Data of fewer bytes stay in the message. */
    static final int LARGE = 1 << 14;

    /** More than this beside large tensors is no model. */
    private static final long MOST_OTHER_BYTES = 1L << 30;

    private static final int DEEPEST = 64;

    /** Messages that may hold large tensors. */
    private enum Kind {
        MODEL,
        GRAPH,
        NODE,
        ATTRIBUTE,
        TENSOR,
        OTHER;

        Kind child(int field) {
            return switch (this) {
                case MODEL -> field == ModelProto.GRAPH_FIELD_NUMBER ? GRAPH : OTHER;
                case GRAPH ->
                    field == GraphProto.NODE_FIELD_NUMBER
                            ? NODE
                            : field == GraphProto.INITIALIZER_FIELD_NUMBER ? TENSOR : OTHER;
                case NODE -> field == NodeProto.ATTRIBUTE_FIELD_NUMBER ? ATTRIBUTE : OTHER;
                case ATTRIBUTE ->
                    switch (field) {
                        case AttributeProto.T_FIELD_NUMBER, AttributeProto.TENSORS_FIELD_NUMBER -> TENSOR;
                        case AttributeProto.G_FIELD_NUMBER, AttributeProto.GRAPHS_FIELD_NUMBER -> GRAPH;
                        default -> OTHER;
                    };
                case TENSOR, OTHER -> OTHER;
            };
        }
    }

    private final WireReader in;
    private long kept;

    private LeanModel(WireReader in) {
        this.in = in;
    }

    /**
     * Reads a file.
     *
     * @throws InvalidInputException if it is missing, or not a complete protobuf message
     */
    static ModelProto read(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new InvalidInputException(path + " does not exist or is not a file; give the path of an .onnx file");
        }
        try (FileChannel channel = FileChannel.open(path)) {
            ByteArrayOutputStream lean = new ByteArrayOutputStream();
            new LeanModel(new WireReader(channel)).message(Kind.MODEL, channel.size(), lean, 0);
            return ModelProto.parseFrom(ByteBuffer.wrap(lean.toByteArray()));
        } catch (InvalidProtocolBufferException e) {
            throw damaged(path, e);
        } catch (IOException e) {
            throw Files.isReadable(path)
                    ? damaged(path, e)
                    : new InvalidInputException(path + " cannot be read: " + e, e);
        }
    }

    private static InvalidInputException damaged(Path path, IOException cause) {
        String text = Placeholder.in(path);
        if (!text.isEmpty()) {
            return new InvalidInputException(path + " is no model but " + text, cause);
        }
        return new InvalidInputException(
                path + " is not a complete ONNX file (" + cause.getMessage()
                        + "); it may be truncated or of another format: export or copy it again",
                cause);
    }

    private void message(Kind kind, long end, ByteArrayOutputStream out, int depth) throws IOException {
        if (depth > DEEPEST) {
            throw new IOException("messages are nested more than " + DEEPEST + " deep");
        }
        boolean elided = false;
        while (in.position() < end) {
            long tag = in.varint();
            int field = (int) (tag >>> 3);
            if (field == 0) {
                throw new IOException("a field has the number 0");
            }
            int wireType = (int) (tag & 7);
            if (wireType != WireReader.DELIMITED) {
                WireReader.writeVarint(tag, out);
                in.copyNumber(wireType, out);
                continue;
            }
            long length = in.length(end);
            if (kind == Kind.TENSOR && length >= LARGE && isData(field)) {
                if (elided) {
                    throw new IOException("a tensor that ends at byte " + end + " holds its numbers in several parts");
                }
                elided = true;
                refer(in.position(), length, out);
                in.position(in.position() + length);
                continue;
            }
            WireReader.writeVarint(tag, out);
            Kind child = kind.child(field);
            if (child == Kind.OTHER || length < LARGE) {
                keep(length, out);
            } else {
                ByteArrayOutputStream lean = new ByteArrayOutputStream();
                message(child, in.position() + length, lean, depth + 1);
                WireReader.writeVarint(lean.size(), out);
                lean.writeTo(out);
            }
        }
        if (in.position() != end) {
            throw new IOException("a message that ends at byte " + end + " holds a field that goes on");
        }
    }

    /** Raw data, and packed numbers that look the same. */
    private static boolean isData(int field) {
        return field == TensorProto.RAW_DATA_FIELD_NUMBER
                || field == TensorProto.FLOAT_DATA_FIELD_NUMBER
                || field == TensorProto.DOUBLE_DATA_FIELD_NUMBER;
    }

    private void keep(long length, ByteArrayOutputStream out) throws IOException {
        kept += length;
        long most = Math.min(MOST_OTHER_BYTES, Runtime.getRuntime().maxMemory() / 4);
        if (kept > most) {
            throw new IOException("more than " + (most >> 20) + " MB of it are not the raw data of tensors");
        }
        WireReader.writeVarint(length, out);
        in.copy(length, out);
    }

    /** Writes the fields that say where the data is; being the last of their kind they count. */
    private static void refer(long offset, long length, ByteArrayOutputStream out) throws IOException {
        TensorProto.newBuilder()
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addAllExternalData(ExternalData.reference(OWN_FILE, offset, length))
                .build()
                .writeTo(out);
    }
}
