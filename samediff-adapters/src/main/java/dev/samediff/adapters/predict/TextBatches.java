package dev.samediff.adapters.predict;

import dev.samediff.adapters.text.batch.BatchArrays;
import dev.samediff.adapters.text.batch.SequenceFeature;
import dev.samediff.adapters.text.generation.Capacities;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Puts texts of similar length together. There are few shapes, because every shape is compiled once: lengths are those of {@link
 * Capacities}, and batches have 1, 4, 16, 64, ... texts. Without an attention mask padding would be read, so texts of a batch
 * are equally long then.
 */
final class TextBatches {
    private static final int SHORTEST = 16;

    private final Map<String, TextInputs.Placeholder> placeholders;
    private final PredictionPlan plan;
    private final int padId;

    TextBatches(Map<String, TextInputs.Placeholder> placeholders, PredictionPlan plan, int padId) {
        this.placeholders = placeholders;
        this.plan = plan;
        this.padId = padId;
    }

    /**
     * Texts that are computed together.
     *
     * @param members their numbers; rows beyond are of no use
     * @param lengths the rows' lengths in tokens
     * @param placeholders what the model is fed with
     */
    record Batch(int[] members, int[] lengths, Map<String, INDArray> placeholders) {}

    /** Returns the batches of texts, as token ids. */
    List<Batch> of(List<int[]> texts) {
        Map<Integer, List<Integer>> byWidth = new TreeMap<>();
        IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> texts.get(i).length))
                .forEach(i -> byWidth.computeIfAbsent(width(texts.get(i).length), width -> new ArrayList<>())
                        .add(i));
        List<Batch> batches = new ArrayList<>();
        byWidth.forEach((width, members) -> {
            for (int start = 0; start < members.size(); ) {
                int size = size(members.size() - start);
                batches.add(batch(texts, members.subList(start, start + size), width));
                start += size;
            }
        });
        return batches;
    }

    private int width(int length) {
        int fixed = fixed(TextInputs.Placeholder::width);
        if (fixed > 0) {
            return fixed;
        }
        boolean masked = placeholders.values().stream()
                .anyMatch(placeholder -> placeholder.feature() == SequenceFeature.ATTENTION_MASK);
        return masked && plan.maxLength() > 1 ? new Capacities(SHORTEST, plan.maxLength()).of(length) : length;
    }

    /** The largest power of four that there are texts for, or all that a batch may have. */
    private int size(int texts) {
        int fixed = fixed(TextInputs.Placeholder::texts);
        if (fixed > 0) {
            return Math.min(fixed, texts);
        }
        if (texts >= plan.batchSize()) {
            return plan.batchSize();
        }
        int size = 1;
        while (4 * size <= texts) {
            size *= 4;
        }
        return size;
    }

    /** What all placeholders that fix something agree on; 0 if none does. */
    private int fixed(ToIntFunction<TextInputs.Placeholder> size) {
        return placeholders.values().stream().mapToInt(size).max().orElse(0);
    }

    /** A model that takes a fixed number of texts gets the last one again and again. */
    private Batch batch(List<int[]> texts, List<Integer> members, int width) {
        int rows = Math.max(members.size(), fixed(TextInputs.Placeholder::texts));
        int[][] ids = IntStream.range(0, rows)
                .mapToObj(row -> texts.get(members.get(Math.min(row, members.size() - 1))))
                .toArray(int[][]::new);
        int[] lengths = Arrays.stream(ids).mapToInt(row -> row.length).toArray();
        Map<String, INDArray> arrays = new HashMap<>();
        placeholders.forEach((name, placeholder) -> arrays.put(
                name, BatchArrays.feature(placeholder.feature(), placeholder.type(), ids, lengths, width, padId)));
        return new Batch(members.stream().mapToInt(i -> i).toArray(), lengths, arrays);
    }
}
