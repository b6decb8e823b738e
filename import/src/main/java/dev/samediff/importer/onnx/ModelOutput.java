package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.PendingFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;
import org.nd4j.shade.protobuf.ByteString;

/**
 * Writes a model whose large tensors are not in its message: their numbers go from where they are to the target a piece
 * at a time.
 *
 * <p>A model that has data in other files gets one such file of its own ({@code model.onnx.data}), and so does one that
 * has become larger than a protobuf message can be; everything else is one file. The target is complete or untouched: the
 * data file has a name nothing uses and is on the disk before the model is. The data file of the model that is replaced is removed
 * only if we wrote it and nobody else names it ({@link OwnDataFile}).
 */
public final class ModelOutput {
    /** A protobuf message has fewer bytes; some are left for what is not tensors. */
    static final long LARGEST_MESSAGE = Integer.MAX_VALUE - (1L << 26);

    private static final int PIECE = 1 << 18;

    /** Tensors in a data file begin at multiples of this, so that they can be mapped into memory. */
    private static final int ALIGNMENT = 4096;

    /** Smaller tensors stay in the message. */
    private static final int SMALLEST_OUTSIDE = 1024;

    private final ModelProto model;
    private final ExternalData files;
    private final Map<String, TensorData> values;
    private final List<Tensor> tensors = new ArrayList<>();
    private final boolean outside;

    /** An initializer: complete, or with data of its own. */
    private record Tensor(TensorProto header, Optional<TensorData> data) {
        long size() {
            return data.map(TensorData::size).orElse(0L);
        }
    }

    /**
     * Prepares the output.
     *
     * @param model a model as {@link OnnxFile#model} has it, changed or not
     * @param files where data that stay are read from
     * @param values new data, by the {@code location} that their tensors name
     */
    public ModelOutput(ModelProto model, ExternalData files, Map<String, TensorData> values) {
        this.files = files;
        this.values = values;
        GraphProto.Builder graph = model.getGraph().toBuilder().clearInitializer();
        for (TensorProto tensor : model.getGraph().getInitializerList()) {
            boolean large = tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL
                    || tensor.getRawData().size() >= SMALLEST_OUTSIDE;
            tensors.add(
                    large
                            ? new Tensor(header(tensor), Optional.of(data(tensor)))
                            : new Tensor(tensor, Optional.empty()));
        }
        for (int i = 0; i < graph.getNodeCount(); i++) {
            complete(graph.getNodeBuilder(i));
        }
        this.model = model.toBuilder().setGraph(graph).build();
        this.outside = model.getGraph().getInitializerList().stream().anyMatch(ExternalData::isElsewhere)
                || tensors.stream().mapToLong(Tensor::size).sum() > LARGEST_MESSAGE;
    }

    private static TensorProto header(TensorProto tensor) {
        return tensor.toBuilder()
                .clearRawData()
                .clearExternalData()
                .clearDataLocation()
                .build();
    }

    private TensorData data(TensorProto tensor) {
        if (tensor.getDataLocation() != TensorProto.DataLocation.EXTERNAL) {
            return new TensorData.InMemory(tensor.getRawData().asReadOnlyByteBuffer());
        }
        for (StringStringEntryProto entry : tensor.getExternalDataList()) {
            TensorData known = values.get(entry.getValue());
            if (entry.getKey().equals("location") && known != null) {
                return known;
            }
        }
        return files.of(tensor.getName(), tensor);
    }

    /** Constants of nodes go into the message, and zeros are written as such. */
    private void complete(NodeProto.Builder node) {
        for (int i = 0; i < node.getAttributeCount(); i++) {
            ExplicitZeros.keep(node.getAttributeBuilder(i));
            if (node.getAttribute(i).hasT()
                    && node.getAttribute(i).getT().getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
                TensorProto tensor = node.getAttribute(i).getT();
                node.getAttributeBuilder(i)
                        .setT(header(tensor).toBuilder().setRawData(bytes(data(tensor), tensor.getName())));
            }
            if (node.getAttribute(i).hasG()) {
                GraphProto.Builder nested = node.getAttribute(i).getG().toBuilder();
                for (int k = 0; k < nested.getNodeCount(); k++) {
                    complete(nested.getNodeBuilder(k));
                }
                for (int k = 0; k < nested.getInitializerCount(); k++) {
                    TensorProto tensor = nested.getInitializer(k);
                    if (tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
                        nested.setInitializer(
                                k, header(tensor).toBuilder().setRawData(bytes(data(tensor), tensor.getName())));
                    }
                }
                node.getAttributeBuilder(i).setG(nested);
            }
        }
    }

    private static ByteString bytes(TensorData data, String name) {
        ByteString.Output out = ByteString.newOutput(Math.toIntExact(data.size()));
        try {
            copy(data, out);
        } catch (IOException e) {
            throw new InvalidInputException("tensor '" + name + "' cannot be read: " + e.getMessage(), e);
        }
        return out.toByteString();
    }

    /**
     * Writes the model.
     *
     * @param given the target; a symbolic link is followed
     * @throws InvalidInputException if what is there must not be replaced, see {@link dev.samediff.adapters.io.Destination#file}
     *     and {@link DataOfModels}
     * @throws IOException if it cannot be written; a previous model at that place is as it was
     */
    public void write(Path given) throws IOException {
        try (PendingFile message = PendingFile.open(given, ModelOutput::removeOrphan)) {
            DataOfModels.requireNone(message.target());
            List<OwnDataFile> before = OwnDataFile.of(message.target(), message.target());
            if (outside) {
                writeOutside(message, before);
            } else {
                writeInside(message, before);
            }
            before.forEach(own -> own.remove(message.target()));
        } catch (IOException e) {
            throw DurableFiles.failure(given, e);
        }
    }

    /** A writer that was killed between its two renames left its complete message, and data that no model names. */
    private static void removeOrphan(Path target, Path message) {
        OwnDataFile.of(message, target).forEach(own -> own.remove(target));
    }

    private void writeInside(PendingFile message, List<OwnDataFile> before) throws IOException {
        List<Embedded> parts = new ArrayList<>();
        for (Tensor tensor : tensors) {
            parts.add(new Embedded(tensor));
        }
        ModelProto named = OwnDataFile.named(model, before);
        message.write(out -> writeMessage(named, parts, out));
        message.commit();
    }

    private void writeOutside(PendingFile message, List<OwnDataFile> before) throws IOException {
        Path file = freeDataFile(message.target());
        String name = String.valueOf(file.getFileName());
        List<TensorProto> headers = new ArrayList<>();
        OwnDataFile.Sum sum = new OwnDataFile.Sum();
        try (PendingFile data = PendingFile.open(file, (target, leftover) -> {})) {
            data.write(out -> writeData(name, headers, sum.over(out)));
            GraphProto graph =
                    model.getGraph().toBuilder().addAllInitializer(headers).build();
            List<OwnDataFile> own = new ArrayList<>(before);
            own.add(sum.of(name));
            message.write(
                    OwnDataFile.named(model, own).toBuilder().setGraph(graph).build()::writeTo);
            data.sync();
            message.sync();
            data.commit();
        }
        try {
            message.commit();
        } catch (IOException e) {
            Files.deleteIfExists(file);
            throw e;
        }
    }

    /** A tensor's message with its data: header, field raw_data. */
    private record Embedded(byte[] header, byte[] field, Optional<TensorData> data) {
        Embedded(Tensor tensor) throws IOException {
            this(tensor.header().toByteArray(), field(tensor), tensor.data());
        }

        private static byte[] field(Tensor tensor) throws IOException {
            ByteArrayOutputStream field = new ByteArrayOutputStream();
            if (tensor.data().isPresent()) {
                field.write(TensorProto.RAW_DATA_FIELD_NUMBER << 3 | WireReader.DELIMITED);
                WireReader.writeVarint(tensor.size(), field);
            }
            return field.toByteArray();
        }

        long length() {
            return header.length
                    + (long) field.length
                    + data.map(TensorData::size).orElse(0L);
        }
    }

    private static void writeMessage(ModelProto model, List<Embedded> parts, OutputStream out) throws IOException {
        model.toBuilder().clearGraph().build().writeTo(out);
        byte[] graph = model.getGraph().toByteArray();
        ByteArrayOutputStream tags = new ByteArrayOutputStream();
        for (Embedded part : parts) {
            tags.write(GraphProto.INITIALIZER_FIELD_NUMBER << 3 | WireReader.DELIMITED);
            WireReader.writeVarint(part.length(), tags);
        }
        long length = graph.length
                + (long) tags.size()
                + parts.stream().mapToLong(Embedded::length).sum();
        out.write(ModelProto.GRAPH_FIELD_NUMBER << 3 | WireReader.DELIMITED);
        WireReader.writeVarint(length, out);
        out.write(graph);
        for (Embedded part : parts) {
            out.write(GraphProto.INITIALIZER_FIELD_NUMBER << 3 | WireReader.DELIMITED);
            WireReader.writeVarint(part.length(), out);
            out.write(part.header());
            out.write(part.field());
            if (part.data().isPresent()) {
                copy(part.data().get(), out);
            }
        }
    }

    private void writeData(String location, List<TensorProto> headers, OutputStream out) throws IOException {
        long offset = 0;
        for (Tensor tensor : tensors) {
            if (tensor.data().isEmpty()) {
                headers.add(tensor.header());
                continue;
            }
            int gap = (int) (-offset & ALIGNMENT - 1);
            out.write(new byte[gap]);
            offset += gap;
            headers.add(tensor.header().toBuilder()
                    .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                    .addAllExternalData(ExternalData.reference(location, offset, tensor.size()))
                    .build());
            copy(tensor.data().get(), out);
            offset += tensor.size();
        }
    }

    private static void copy(TensorData data, OutputStream out) throws IOException {
        byte[] bytes = new byte[(int) Math.min(PIECE, Math.max(1, data.size()))];
        data.forEachPiece(bytes.length, (offset, piece) -> write(piece, bytes, out));
    }

    private static void write(ByteBuffer piece, byte[] bytes, OutputStream out) throws IOException {
        while (piece.hasRemaining()) {
            int count = Math.min(bytes.length, piece.remaining());
            piece.get(bytes, 0, count);
            out.write(bytes, 0, count);
        }
    }

    private static Path freeDataFile(Path target) {
        String wanted = target.getFileName() + ".data";
        Path file = target.resolveSibling(wanted);
        for (int i = 1; Files.exists(file, LinkOption.NOFOLLOW_LINKS); i++) {
            file = target.resolveSibling(wanted + i);
        }
        return file;
    }
}
