package dev.samediff.importer;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import onnx.Onnx;

/**
 * Sizes for the open dimensions of a model's inputs.
 *
 * <p>A dimension is open when the file gives it a name (`batch_size`) or nothing at all. Equal names get equal sizes;
 * a sum of names (`past_sequence_length + sequence_length`) is added up. What a name means is read from its letters:
 * `past` the tokens already seen, `batch` (or `N`) the batch, anything else a sequence.
 *
 * @param batch size of batch dimensions
 * @param sequence size of sequence dimensions and of all that are not understood
 * @param past tokens in the key and value caches of decoders that have them
 * @param named sizes of dimensions by the name in the file, which count before everything else
 */
record InputSizes(long batch, long sequence, long past, Map<String, Long> named) {
    /** As large as a picture that a patch of any usual size fits in. */
    private static final long PIXELS = 32;

    private static final long CHANNELS = 3;

    InputSizes {
        named = Map.copyOf(named);
    }

    InputSizes(long batch, long sequence, long past) {
        this(batch, sequence, past, Map.of());
    }

    /** Tokens seen before and now. */
    long total() {
        return past + sequence;
    }

    /** Three that differ in every size, and ask for no more than eight positions. */
    static final List<InputSizes> SAMPLES =
            List.of(new InputSizes(2, 5, 3), new InputSizes(1, 7, 1), new InputSizes(3, 4, 2));

    /** Whether an input has an open dimension, so that more than one of the samples makes sense. */
    static boolean anyOpen(Collection<Onnx.ValueInfoProto> inputs) {
        return inputs.stream().flatMap(input -> dimensions(input).stream()).anyMatch(d -> d.getDimValue() <= 0);
    }

    /** The shape of an input at these sizes. */
    long[] shape(Onnx.ValueInfoProto input) {
        List<Onnx.TensorShapeProto.Dimension> dimensions = dimensions(input);
        long[] shape = new long[dimensions.size()];
        for (int axis = 0; axis < shape.length; axis++) {
            shape[axis] = size(dimensions.get(axis), axis, shape.length);
        }
        return shape;
    }

    /** The names of the open dimensions with their sizes, as a line of text: `batch = 2, sequence = 5`. */
    String describe(Collection<Onnx.ValueInfoProto> inputs) {
        Map<String, Long> named = new LinkedHashMap<>();
        for (Onnx.ValueInfoProto input : inputs) {
            List<Onnx.TensorShapeProto.Dimension> dimensions = dimensions(input);
            for (int axis = 0; axis < dimensions.size(); axis++) {
                Onnx.TensorShapeProto.Dimension dimension = dimensions.get(axis);
                String name = dimension.getDimParam().isEmpty()
                        ? input.getName() + "[" + axis + "]"
                        : dimension.getDimParam();
                if (dimension.getDimValue() <= 0 && !name.contains("+")) {
                    named.put(name, size(dimension, axis, dimensions.size()));
                }
            }
        }
        StringBuilder text = new StringBuilder();
        named.forEach((name, size) -> text.append(text.isEmpty() ? "" : ", ")
                .append(name)
                .append(" = ")
                .append(size));
        return text.isEmpty() ? "as declared" : text.toString();
    }

    private long size(Onnx.TensorShapeProto.Dimension dimension, int axis, int rank) {
        if (dimension.getDimValue() > 0) {
            return dimension.getDimValue();
        }
        if (dimension.getDimParam().isEmpty()) {
            return axis == 0 ? batch : rank == 4 && axis == 2 ? past : sequence;
        }
        long size = 0;
        for (String term : dimension.getDimParam().split("\\+", -1)) {
            size += size(term.strip());
        }
        return size;
    }

    private long size(String name) {
        if (!name.isEmpty() && name.chars().allMatch(Character::isDigit)) {
            return Long.parseLong(name);
        }
        Long given = named.get(name);
        if (given != null) {
            return given;
        }
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.contains("height") || lower.contains("width")) {
            return PIXELS;
        }
        if (lower.contains("channel")) {
            return CHANNELS;
        }
        if (lower.contains("encoder") && !lower.contains("decoder")) {
            return sequence + 1; // another length than the decoder's
        }
        if (lower.contains("past")) {
            return past;
        }
        return lower.contains("batch") || lower.equals("n") || lower.equals("b") ? batch : sequence;
    }

    private static List<Onnx.TensorShapeProto.Dimension> dimensions(Onnx.ValueInfoProto input) {
        return input.getType().getTensorType().getShape().getDimList();
    }
}
