package dev.samediff.importer.huggingface;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A folder's tensors in a message: each stays in its file, in its type, under its module's name, and is widened to float32 by a node where
 * it is narrower. What no one asked for is refused in the end, because a model that leaves weights out computes something else.
 */
public final class Weights {
    private static final int LISTED = 5;

    private final HubFolder folder;
    private final GraphMessage graph;
    private final String prefix;
    private final Map<String, String> values = new HashMap<>();
    private final Set<String> read = new TreeSet<>();

    /**
     * The tensors of a folder.
     *
     * @param prefix what modules' names begin with below a head, such as {@code transformer.}; see {@link HubFolder#stored}
     */
    Weights(HubFolder folder, GraphMessage graph, String prefix) {
        this.folder = folder;
        this.graph = graph;
        this.prefix = prefix;
    }

    /** Returns whether there is a tensor of this name. */
    public boolean has(String name) {
        return folder.tensors().containsKey(stored(name));
    }

    /**
     * Returns the type in which a tensor is stored.
     *
     * @throws InvalidInputException if there is none of this name
     */
    public DataType type(String name) {
        return stored(name, folder.tensors().get(stored(name))).tensor().type();
    }

    private String stored(String name) {
        return folder.stored(name, prefix);
    }

    /**
     * Returns the value of a tensor in float32.
     *
     * @param name the tensor's name, with its module's path
     * @param shape the shape that it must have
     */
    public String get(String name, long... shape) {
        String known = values.get(name);
        if (known != null) {
            return known;
        }
        HubFolder.StoredTensor stored = stored(name, folder.tensors().get(stored(name)));
        if (!Arrays.equals(stored.tensor().shape(), shape)) {
            throw new InvalidInputException("the tensor `" + name + "` of " + folder.path() + " has the shape "
                    + Arrays.toString(stored.tensor().shape()) + ", and its config.json asks for "
                    + Arrays.toString(shape) + "; one of the two is of another model");
        }
        read.add(stored(name));
        boolean wide = stored.tensor().type() == DataType.FLOAT;
        String own = graph.initializer(message(name, stored));
        String value = wide
                ? own
                : graph.named(
                        name + "/float32",
                        "Cast",
                        List.of(GraphMessage.integer("to", TensorProto.DataType.FLOAT_VALUE)),
                        own);
        values.put(name, value);
        return value;
    }

    private HubFolder.StoredTensor stored(String name, HubFolder.@Nullable StoredTensor found) {
        if (found == null) {
            throw new InvalidInputException(folder.path() + " has no tensor `" + name + "`, which its config.json asks"
                    + " for; there are " + some(folder.tensors().keySet()));
        }
        return found;
    }

    /** Says that a tensor is not needed although it is there, such as a tied head that is stored once more. */
    public void leave(String name) {
        read.add(stored(name));
    }

    private TensorProto message(String name, HubFolder.StoredTensor stored) {
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName(name)
                .setDataType(type(name, stored.tensor().type()))
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", stored.file()))
                .addExternalData(entry("offset", Long.toString(stored.tensor().offset())))
                .addExternalData(entry("length", Long.toString(stored.tensor().length())));
        Arrays.stream(stored.tensor().shape()).forEach(tensor::addDims);
        return tensor.build();
    }

    private int type(String name, DataType type) {
        return switch (type) {
            case FLOAT -> TensorProto.DataType.FLOAT_VALUE;
            case HALF -> TensorProto.DataType.FLOAT16_VALUE;
            case BFLOAT16 -> TensorProto.DataType.BFLOAT16_VALUE;
            case DOUBLE -> TensorProto.DataType.DOUBLE_VALUE;
            default ->
                throw new InvalidInputException(
                        "the tensor `" + name + "` of " + folder.path() + " has the type " + type
                                + "; expected floating-point numbers of 16, 32 or 64 bits: a quantised model is not read");
        };
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    /**
     * Refuses tensors that nobody asked for.
     *
     * @param known ends of names of tensors that no model needs, such as tables of positions that are computed
     */
    void requireAllRead(List<String> known) {
        Set<String> unread = new TreeSet<>(folder.tensors().keySet());
        unread.removeAll(read);
        unread.removeIf(name -> known.stream().anyMatch(name::endsWith));
        if (!unread.isEmpty()) {
            throw new InvalidInputException(folder.path() + " has " + unread.size()
                    + " tensors that a model of its config.json does not have: " + some(unread)
                    + "; the model would compute something else without them: check `model_type` and `architectures`, or"
                    + " export the model to ONNX");
        }
    }

    private static String some(Set<String> names) {
        List<String> sorted = names.stream().sorted().limit(LISTED).toList();
        return String.join(", ", sorted) + (names.size() > LISTED ? ", ... (" + names.size() + ")" : "");
    }
}
