package dev.samediff.adapters.predict;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.ExecutionOrder;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.text.batch.FramedText;
import dev.samediff.adapters.text.batch.SequenceFeature;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Stream;
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

    /** What a placeholder is filled with. */
    record Placeholder(SequenceFeature feature, DataType type) {}

    /**
     * Looks at a model.
     *
     * @param output name of a variable [texts, ...]
     * @throws InvalidInputException if there is none, or it needs placeholders that texts cannot fill
     */
    static TextInputs of(ModelPool pool, Tokenizer tokenizer, PredictionPlan plan, String output) {
        pool.requireVariable(output);
        return new TextInputs(pool, tokenizer, plan, output, Optional.empty(), placeholders(pool.graph(), output));
    }

    TextInputs withAdapter(String name) {
        return new TextInputs(pool, tokenizer, plan, output, Optional.of(name), placeholders);
    }

    String output() {
        return output;
    }

    private static Map<String, Placeholder> placeholders(SameDiff graph, String output) {
        Map<String, Placeholder> found = new LinkedHashMap<>();
        Stream<String> read =
                ExecutionOrder.of(graph, List.of(output)).stream().flatMap(node -> node.inputs().stream());
        read.distinct()
                .map(graph::getVariable)
                .filter(SDVariable::isPlaceHolder)
                .forEach(placeholder -> found.put(
                        placeholder.name(),
                        new Placeholder(SequenceFeature.named(placeholder.name()), placeholder.dataType())));
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
        if (result.rank() < 1 || result.size(0) != batch.members().length) {
            throw new InvalidInputException("the output `" + output + "` is " + result.shapeInfoToString() + " for "
                    + batch.members().length + " texts; expected a row for each");
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
