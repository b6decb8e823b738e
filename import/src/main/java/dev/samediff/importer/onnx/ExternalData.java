package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import onnx.Onnx.TensorProto;
import org.nd4j.shade.protobuf.ByteString;

/** Tensor data that lies in files beside the model, as large exports have it. */
final class ExternalData {
    private final Path folder;

    /** Reads from the folder the model file lies in, never from outside of it. */
    ExternalData(Path model) {
        Path absolute = model.toAbsolutePath().normalize();
        this.folder = absolute.resolveSibling("").normalize();
    }

    /** Returns the bytes of one tensor. */
    ByteString read(String tensor, TensorProto proto) {
        Map<String, String> entries = new HashMap<>();
        proto.getExternalDataList().forEach(entry -> entries.put(entry.getKey(), entry.getValue()));
        Path file = resolve(tensor, entries.getOrDefault("location", ""));
        try (FileChannel channel = FileChannel.open(file)) {
            long offset = Long.parseLong(entries.getOrDefault("offset", "0"));
            long length = Long.parseLong(entries.getOrDefault("length", Long.toString(channel.size() - offset)));
            if (offset < 0 || length < 0 || length > Integer.MAX_VALUE - 8 || offset > channel.size() - length) {
                throw new InvalidInputException("tensor '" + tensor + "' needs bytes " + offset + " to "
                        + (offset + length) + " of " + file + ", which has " + channel.size()
                        + "; copy the complete data file beside the model");
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) length);
            while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) >= 0) {
                // read on: a channel may return fewer bytes than asked for
            }
            return ByteString.copyFrom(bytes.flip());
        } catch (IOException | NumberFormatException e) {
            throw new InvalidInputException(
                    "data of tensor '" + tensor + "' cannot be read from " + file + ": " + e, e);
        }
    }

    private Path resolve(String tensor, String location) {
        Path file = folder.resolve(location).normalize();
        if (location.isEmpty() || !file.startsWith(folder)) {
            throw new InvalidInputException("tensor '" + tensor + "' keeps its data in '" + location
                    + "'; only files in the model's own folder are read");
        }
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException("tensor '" + tensor + "' keeps its data in " + file
                    + ", which does not exist; copy it beside the model");
        }
        return file;
    }
}
