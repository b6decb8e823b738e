package dev.samediff.importer;

import dev.samediff.importer.onnx.OnnxTypes;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import onnx.Onnx;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Random inputs an ONNX transformer accepts.
 *
 * <p>Integers stay below the height of the tables they index ({@link IndexBounds}). Masks, by their name, are ones with
 * zeros at an end of every second row, or in whole rows ({@link Hiding}), or zeros with large negative numbers there if they
 * are added to scores (floats with more than two axes); positions count up; lengths of ONNX Runtime's grouped attention are those of full rows; floats
 * are standard normal.
 */
final class RandomInputs {
    /** What is added to a score to hide it. */
    private static final double HIDDEN = -10000;

    private static final long UNBOUNDED_INTEGERS = 2;

    /** What masks hide. */
    enum Hiding {
        /** The last quarter of every second row: padding behind the text. */
        RIGHT,
        /** The first quarter of every second row: padding in front of the text. */
        LEFT,
        /** Every third row, as in a batch that is filled up with empty texts; the last quarter of the one after it. */
        ROWS;

        boolean shows(long row, long column, long length) {
            long hidden = Math.max(1, length / 4);
            return switch (this) {
                case RIGHT -> row % 2 != 0 || column == 0 || column < length - hidden;
                case LEFT -> row % 2 != 0 || column == length - 1 || column >= hidden;
                case ROWS -> row % 3 != 0 && (row % 3 != 1 || column == 0 || column < length - hidden);
            };
        }
    }

    private final List<Onnx.ValueInfoProto> inputs;
    private final IndexBounds bounds;
    private final boolean counts;

    RandomInputs(Onnx.GraphProto graph) {
        Set<String> stored = new HashSet<>();
        graph.getInitializerList().forEach(tensor -> stored.add(tensor.getName()));
        this.inputs = graph.getInputList().stream()
                .filter(input -> !stored.contains(input.getName()))
                .toList();
        this.bounds = new IndexBounds(graph);
        this.counts =
                graph.getNodeList().stream().anyMatch(node -> node.getOpType().equals("GroupQueryAttention"));
    }

    /** The inputs a caller must give: what the file declares without what it holds as initializers. */
    List<Onnx.ValueInfoProto> inputs() {
        return inputs;
    }

    /**
     * Whether an input is a mask that hides something. Those of ONNX Runtime's attention of grouped queries do not: its kernel
     * counts the visible tokens, and reads outside of its memory if they are fewer than those of the past and the text.
     */
    boolean hasMask() {
        return !counts && inputs.stream().anyMatch(RandomInputs::isMask);
    }

    /** Whether an input is a mask of which all tokens are shown. */
    boolean showsAll() {
        return counts && inputs.stream().anyMatch(RandomInputs::isMask);
    }

    /** Whether an input hides whole rows if it is told to: a mask, or truth values of any name. */
    boolean hidesRows() {
        return !counts && inputs.stream().anyMatch(input -> isMask(input) || isTruths(input));
    }

    private static boolean isTruths(Onnx.ValueInfoProto input) {
        return type(input) == DataType.BOOL
                && input.getType().getTensorType().getShape().getDimCount() > 1;
    }

    private static boolean isMask(Onnx.ValueInfoProto input) {
        return input.getName().toLowerCase(Locale.ROOT).contains("mask");
    }

    /** One array per input, in the file's order; masks hide what lies behind a text. */
    Map<String, INDArray> draw(InputSizes sizes, Random random) {
        return draw(sizes, Hiding.RIGHT, random);
    }

    /** One array per input, in the file's order. */
    Map<String, INDArray> draw(InputSizes sizes, Hiding hiding, Random random) {
        Map<String, INDArray> drawn = new LinkedHashMap<>();
        for (Onnx.ValueInfoProto input : inputs) {
            drawn.put(input.getName(), draw(input, sizes, hiding, random));
        }
        return drawn;
    }

    private INDArray draw(Onnx.ValueInfoProto input, InputSizes sizes, Hiding hiding, Random random) {
        long[] shape = sizes.shape(input);
        double[] values = new double[Math.toIntExact(length(shape))];
        Drawing drawing = drawing(input, shape, sizes, hiding, random);
        for (int i = 0; i < values.length; i++) {
            values[i] = drawing.at(i);
        }
        DataType type = type(input);
        return values.length == 0
                ? Nd4j.create(type, shape)
                : Nd4j.createFromArray(values).castTo(type).reshape('c', shape);
    }

    /** The number at a place of an input, counted in row-major order. */
    private interface Drawing {
        double at(int index);
    }

    private Drawing drawing(Onnx.ValueInfoProto input, long[] shape, InputSizes sizes, Hiding hiding, Random random) {
        String name = input.getName().toLowerCase(Locale.ROOT);
        DataType type = type(input);
        long last = shape.length == 0 ? 1 : shape[shape.length - 1];
        if (isMask(input)) {
            // masks with an axis for the queries are added to the scores, unless they are truth values or whole numbers
            boolean added = type.isFPType() && shape.length > 2;
            double hidden = !added ? 0 : hiding == Hiding.ROWS ? -Float.MAX_VALUE : HIDDEN;
            return i -> counts || hiding.shows(i / last, i % last, last) ? (added ? 0 : 1) : hidden;
        }
        if (name.equals("seqlens_k")) {
            return i -> sizes.total() - 1;
        }
        if (name.equals("total_sequence_length")) {
            return i -> sizes.total();
        }
        if (name.equals("use_cache_branch")) {
            return i -> sizes.past() > 0 ? 1 : 0;
        }
        if (type == DataType.BOOL) {
            // whether they show or hide is not known: a row of each, and one of both
            return i -> hiding == Hiding.ROWS && i / last % 3 != 2 ? i / last % 3 : random.nextInt(2);
        }
        if (type.isFPType()) {
            return i -> random.nextGaussian();
        }
        boolean positions = name.contains("position");
        long bound = bounds.of(input.getName()).orElse(positions ? Long.MAX_VALUE : UNBOUNDED_INTEGERS);
        return positions
                ? i -> i % last % bound
                : i -> random.nextInt((int) Math.max(1, Math.min(Integer.MAX_VALUE, bound)));
    }

    private static DataType type(Onnx.ValueInfoProto input) {
        return OnnxTypes.toNd4j(input.getType().getTensorType().getElemType(), "input '" + input.getName() + "'");
    }

    private static long length(long[] shape) {
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        return length;
    }
}
