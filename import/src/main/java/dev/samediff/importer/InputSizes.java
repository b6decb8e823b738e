package dev.samediff.importer;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
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
 * @param encoder size of an encoder's sequences beside a decoder's
 * @param named sizes of dimensions by the name in the file, which count before everything else
 */
record InputSizes(long batch, long sequence, long past, long encoder, Map<String, Long> named) {
    /** As large as a picture that a patch of any usual size fits in. */
    private static final long PIXELS = 32;

    private static final long CHANNELS = 3;

    /** Parts of names that say what a dimension stands for. */
    private static final Set<String> SPEAKING =
            Set.of("batch", "past", "seq", "len", "token", "time", "height", "width", "channel", "position");

    private static final Set<String> SHORT = Set.of("n", "b", "s", "t", "l");

    InputSizes {
        named = Map.copyOf(named);
    }

    /** An encoder's sequences have another length than the decoder's. */
    InputSizes(long batch, long sequence, long past, Map<String, Long> named) {
        this(batch, sequence, past, sequence + 1, named);
    }

    InputSizes(long batch, long sequence, long past) {
        this(batch, sequence, past, Map.of());
    }

    /** One text with nothing before it, as long in an encoder as in a decoder. */
    static InputSizes ofText(long tokens) {
        return new InputSizes(1, tokens, 0, tokens, Map.of());
    }

    /** The same batch and meaning of names, for a text of another length. */
    InputSizes withSequence(long tokens) {
        return new InputSizes(batch, tokens, past, named);
    }

    /** The same with another batch. */
    InputSizes withBatch(long size) {
        return new InputSizes(size, sequence, past, encoder, named);
    }

    /** The same with sizes by name. */
    InputSizes withNamed(Map<String, Long> sizes) {
        return new InputSizes(batch, sequence, past, encoder, sizes);
    }

    /** Tokens seen before and now. */
    long total() {
        return past + sequence;
    }

    /** Three that differ in every size, and ask for no more than eight positions. */
    static final List<InputSizes> SAMPLES =
            List.of(new InputSizes(2, 5, 3), new InputSizes(1, 7, 1), new InputSizes(3, 4, 2));

    /** As {@link #SAMPLES}, with one text or one token after a past. */
    static final List<InputSizes> GROUPED_SAMPLES =
            List.of(new InputSizes(1, 5, 3), new InputSizes(2, 1, 3), new InputSizes(1, 7, 1));

    /** Whether an input has an open dimension, so that more than one of the samples makes sense. */
    static boolean anyOpen(Collection<Onnx.ValueInfoProto> inputs) {
        return inputs.stream().flatMap(input -> dimensions(input).stream()).anyMatch(d -> d.getDimValue() <= 0);
    }

    /** The shape of an input at these sizes. */
    long[] shape(Onnx.ValueInfoProto input) {
        List<Onnx.TensorShapeProto.Dimension> dimensions = dimensions(input);
        long[] shape = new long[dimensions.size()];
        for (int axis = 0; axis < shape.length; axis++) {
            shape[axis] = size(input.getName(), dimensions.get(axis), axis, shape.length);
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
                    named.put(name, size(input.getName(), dimension, axis, dimensions.size()));
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

    private long size(String input, Onnx.TensorShapeProto.Dimension dimension, int axis, int rank) {
        if (dimension.getDimValue() > 0) {
            return dimension.getDimValue();
        }
        Long given = named.get(OpenSizes.symbol(input, axis, dimension));
        if (given != null) {
            return given;
        }
        if (dimension.getDimParam().isEmpty()) {
            return axis == 0 ? batch : rank == 4 && axis == 2 ? past : sequence;
        }
        return size(dimension.getDimParam());
    }

    /** The size of a dimension of that name, which may be a sum of names. */
    long size(String dimension) {
        long size = 0;
        for (String term : dimension.split("\\+", -1)) {
            size += term(term.strip());
        }
        return size;
    }

    /** Whether a dimension's name says what it stands for. */
    static boolean isSpeaking(String dimension) {
        String lower = dimension.toLowerCase(Locale.ROOT);
        return SHORT.contains(lower)
                || (SPEAKING.stream().anyMatch(lower::contains) && !lower.contains("dynamic_axes"));
    }

    private long term(String name) {
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
            return encoder;
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
