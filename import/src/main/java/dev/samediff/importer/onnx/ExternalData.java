package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;

/**
 * Finds tensor data that lies in files: those beside the model, as large exports have them, and the model's own (see
 * {@link LeanModel}).
 */
public final class ExternalData {
    /** Begins the location of data that is computed while it is read; no file can have such a name. */
    private static final String COMPUTED = LeanModel.OWN_FILE + "computed/";

    private final Path model;
    private final Path folder;
    private final Path realFolder;
    private final Map<String, TensorData> computed = new ConcurrentHashMap<>();

    /**
     * Reads from the model file and from the folder it lies in, never from outside of it. A link in that folder may lead to
     * the folder of the file that the model itself is a link to, and to nowhere else: so the cache of huggingface_hub can be
     * read, where both are links into one folder (ONNX Runtime allows the same).
     */
    public ExternalData(Path model) {
        this.model = model.toAbsolutePath().normalize();
        this.folder = this.model.resolveSibling("").normalize();
        this.realFolder = realFolder(this.model, folder);
    }

    /** Adds data that is not in a file, and returns the location that a tensor gives for it. */
    synchronized String add(TensorData data) {
        String location = COMPUTED + computed.size();
        computed.put(location, data);
        return location;
    }

    /**
     * Returns where the bytes of a tensor are.
     *
     * @throws InvalidInputException if the file is missing, outside of the folder or too short
     */
    public TensorData of(String tensor, TensorProto proto) {
        Map<String, String> entries = new HashMap<>();
        proto.getExternalDataList().forEach(entry -> entries.put(entry.getKey(), entry.getValue()));
        String location = entries.getOrDefault("location", "");
        TensorData known = computed.get(location);
        if (known != null) {
            return known;
        }
        Path file = location.equals(LeanModel.OWN_FILE) ? model : resolve(tensor, location);
        try {
            long present = Files.size(file);
            long offset = Long.parseLong(entries.getOrDefault("offset", "0"));
            long length = Long.parseLong(entries.getOrDefault("length", Long.toString(present - offset)));
            if (offset < 0 || length < 0 || offset > present - length) {
                throw new InvalidInputException("tensor '" + tensor + "' needs bytes " + offset + " to "
                        + (offset + length) + " of " + file + ", which has " + present
                        + "; copy the complete data file beside the model");
            }
            return new TensorData.InFile(file, offset, length);
        } catch (NumberFormatException e) {
            throw new InvalidInputException(
                    "tensor '" + tensor + "' says that its data lie at the offset '" + entries.get("offset")
                            + "' with the length '" + entries.get("length") + "' of " + file
                            + "; expected whole numbers: export the model again",
                    e);
        } catch (IOException e) {
            throw new InvalidInputException(
                    "data of tensor '" + tensor + "' cannot be read from " + file + " (" + e.getMessage()
                            + "); copy the complete data file beside the model",
                    e);
        }
    }

    /** Returns the entries that say where data are. */
    static List<StringStringEntryProto> reference(String location, long offset, long length) {
        return List.of(
                entry("location", location),
                entry("offset", Long.toString(offset)),
                entry("length", Long.toString(length)));
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    /** Tells whether a tensor's data lies in another file than the model's. */
    public static boolean isElsewhere(TensorProto proto) {
        return proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL
                && proto.getExternalDataList().stream().anyMatch(ExternalData::namesFile);
    }

    private static boolean namesFile(StringStringEntryProto entry) {
        return entry.getKey().equals("location") && !entry.getValue().startsWith(LeanModel.OWN_FILE);
    }

    private Path resolve(String tensor, String location) {
        Path beside = inFolder(tensor, folder, location);
        if (!Files.isRegularFile(beside) && !realFolder.equals(folder)) {
            Path besideTheRealModel = inFolder(tensor, realFolder, location);
            if (Files.isRegularFile(besideTheRealModel)) {
                return besideTheRealModel;
            }
        }
        if (!Files.isRegularFile(beside)) {
            throw new InvalidInputException("tensor '" + tensor + "' keeps its data in " + beside
                    + ", which does not exist; copy it beside the model");
        }
        return beside;
    }

    private Path inFolder(String tensor, Path from, String location) {
        try {
            Path file = from.resolve(location).normalize();
            if (!location.isEmpty() && file.startsWith(from)) {
                if (isAllowed(file)) {
                    return file;
                }
                throw new InvalidInputException("tensor '" + tensor + "' keeps its data in '" + location
                        + "', a link to a file that lies neither in the model's folder nor beside the file that the"
                        + " model is a link to; copy the data beside the model");
            }
        } catch (java.nio.file.InvalidPathException notAName) {
            // refused below
        }
        throw new InvalidInputException("tensor '" + tensor + "' keeps its data in '" + location
                + "'; only files in the model's own folder are read");
    }

    /** A link inside the folder must not lead out of it, unless to where the model's own link leads. */
    private boolean isAllowed(Path file) {
        try {
            if (!Files.exists(file)) {
                return true;
            }
            Path real = file.toRealPath();
            return real.startsWith(folder.toRealPath()) || real.startsWith(realFolder);
        } catch (IOException e) {
            return false;
        }
    }

    /** The folder of the file that the model is, if it is a link; its own folder if it is none or does not exist. */
    private static Path realFolder(Path model, Path folder) {
        try {
            return model.toRealPath().resolveSibling("").normalize();
        } catch (IOException notThere) {
            return folder;
        }
    }
}
