package dev.samediff.adapters.predict;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.ExecutionOrder;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.text.batch.FramedText;
import dev.samediff.adapters.text.batch.SequenceFeature;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Computes one output of a model, or of one of its adapters, for texts. */
final class TextInputs {
    private final ModelPool pool;
    private final Tokenizer tokenizer;
    private final PredictionPlan plan;
    private final String output;
    private final Optional<String> adapter;
    private final Map<String, Placeholder> placeholders;

    private TextInputs(
            ModelPool pool,
            Tokenizer tokenizer,
            PredictionPlan plan,
            String output,
            Optional<String> adapter,
            Map<String, Placeholder> placeholders) {
        this.pool = pool;
        this.tokenizer = tokenizer;
        this.plan = plan;
        this.output = output;
        this.adapter = adapter;
        this.placeholders = placeholders;
    }

    /**
     * What a placeholder is filled with.
     *
     * @param feature what of a text
     * @param type its type
     * @param texts how many texts it takes at once; 0 for any number
     * @param width how many tokens a text must have, with padding; 0 for any number
     */
    record Placeholder(SequenceFeature feature, DataType type, int texts, int width) {
        static Placeholder of(SDVariable variable, boolean single) {
            long[] shape = variable.placeholderShape();
            boolean declared = shape != null && shape.length == 2;
            return new Placeholder(
                    SequenceFeature.ofInput(variable.name(), single),
                    variable.dataType(),
                    declared ? (int) Math.max(0, shape[0]) : 0,
                    declared ? (int) Math.max(0, shape[1]) : 0);
        }
    }

    /**
     * Looks at a model.
     *
     * @param output name of a variable [texts, ...]
     * @throws InvalidInputException if there is none, or it needs placeholders that texts cannot fill
     */
    static TextInputs of(ModelPool pool, Tokenizer tokenizer, PredictionPlan plan, String output) {
        return of(pool, tokenizer, plan, output, "");
    }

    /**
     * Looks at a model that reads something beside texts.
     *
     * @param other a placeholder that is filled elsewhere; empty for none
     * @throws InvalidInputException if there is no such output, it does not read the other placeholder, or needs what texts cannot fill
     */
    static TextInputs of(ModelPool pool, Tokenizer tokenizer, PredictionPlan plan, String output, String other) {
        pool.requireVariable(output);
        Map<String, Placeholder> placeholders = placeholders(pool.graph(), output, other);
        for (Map.Entry<String, Placeholder> each : placeholders.entrySet()) {
            int width = each.getValue().width();
            if (width > 0 && width < plan.maxLength()) {
                throw new InvalidInputException("the placeholder `" + each.getKey() + "` takes " + width
                        + " tokens, the maximum length is " + plan.maxLength() + "; give " + width + " or less");
            }
        }
        return new TextInputs(pool, tokenizer, plan, output, Optional.empty(), placeholders);
    }

    TextInputs withAdapter(String name) {
        return new TextInputs(pool, tokenizer, plan, output, Optional.of(name), placeholders);
    }

    String output() {
        return output;
    }

    private static Map<String, Placeholder> placeholders(SameDiff graph, String output, String other) {
        List<SDVariable> read = ExecutionOrder.of(graph, List.of(output)).stream()
                .flatMap(node -> node.inputs().stream())
                .distinct()
                .map(graph::getVariable)
                .filter(SDVariable::isPlaceHolder)
                .toList();
        if (!other.isEmpty() && read.stream().noneMatch(each -> each.name().equals(other))) {
            throw new InvalidInputException("the output `" + output + "` does not read `" + other + "`: it reads the"
                    + " placeholders " + read.stream().map(SDVariable::name).toList());
        }
        Map<String, Placeholder> found = new LinkedHashMap<>();
        for (SDVariable placeholder : read) {
            if (!placeholder.name().equals(other)) {
                found.put(placeholder.name(), Placeholder.of(placeholder, read.size() == 1));
            }
        }
        if (found.values().stream().noneMatch(each -> each.feature() == SequenceFeature.INPUT_IDS)) {
            throw new InvalidInputException(
                    "the output `" + output + "` does not depend on token ids: it reads the placeholders "
                            + found.keySet() + ", expected one named input_ids");
        }
        return found;
    }

    /**
     * Computes.
     *
     * @param texts the texts
     * @param row makes an answer of the output's row for one text [...] and the text's length in tokens
     * @return the answers in the order of the texts
     */
    <O> List<O> compute(List<? extends String> texts, BiFunction<INDArray, Integer, O> row) {
        List<int[]> ids = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            ids.add(encode(texts.get(i), i));
        }
        return computeIds(ids, row);
    }

    /** Returns what the placeholders are fed with for each text, in a batch of its own. */
    List<Map<String, INDArray>> each(List<? extends String> texts) {
        TextBatches batches = new TextBatches(placeholders, plan, tokenizer.padId());
        return IntStream.range(0, texts.size())
                .mapToObj(
                        i -> batches.of(List.of(encode(texts.get(i), i))).get(0).placeholders())
                .toList();
    }

    /** Computes for token ids, see {@link #compute}. */
    <O> List<O> computeIds(List<int[]> ids, BiFunction<INDArray, Integer, O> row) {
        List<TextBatches.Batch> batches = new TextBatches(placeholders, plan, tokenizer.padId()).of(ids);
        List<Map<Integer, O>> parts = (batches.size() > 1 ? batches.parallelStream() : batches.stream())
                .map(batch -> compute(batch, row))
                .toList();
        Map<Integer, O> answers = new LinkedHashMap<>();
        parts.forEach(answers::putAll);
        List<O> ordered = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            ordered.add(Objects.requireNonNull(answers.get(i)));
        }
        return ordered;
    }

    private <O> Map<Integer, O> compute(TextBatches.Batch batch, BiFunction<INDArray, Integer, O> row) {
        INDArray result = Objects.requireNonNull(
                pool.outputs(adapter, batch.placeholders(), List.of(output)).get(output));
        if (result.rank() < 1 || result.size(0) != batch.lengths().length) {
            throw new InvalidInputException("the output `" + output + "` is " + Arrays.toString(result.shape())
                    + " for " + batch.lengths().length + " texts; expected a row for each");
        }
        Map<Integer, O> answers = new LinkedHashMap<>();
        for (int i = 0; i < batch.members().length; i++) {
            answers.put(batch.members()[i], row.apply(result.slice(i), batch.lengths()[i]));
        }
        return answers;
    }

    private int[] encode(String text, int number) {
        int[] ids = FramedText.cut(tokenizer, text, plan.maxLength());
        if (ids.length == 0) {
            throw new InvalidInputException(
                    "text " + number + " has no tokens (`" + text + "`); leave out empty texts");
        }
        return ids;
    }
}
