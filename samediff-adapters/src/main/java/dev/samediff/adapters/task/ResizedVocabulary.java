package dev.samediff.adapters.task;

import dev.samediff.adapters.BaseModel;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.AdapterTensors;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.GraphVersion;
import dev.samediff.adapters.graph.LinearSite;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.graph.VocabularyParts;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A model's vocabulary with new tokens at its end, as Hugging Face's {@code resize_token_embeddings} makes it: rows of the table of
 * embeddings, columns of the head, numbers of its bias. A tied head stays tied. Each new one starts from the mean of those that are there
 * (in Hugging Face, from a normal distribution that is as good as its mean).
 *
 * <pre>{@code
 * ResizedVocabulary vocabulary = ResizedVocabulary.of(graph, Map.of(), tokenizer.vocabularySize());
 * AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(8)).withTrainableTokens(vocabulary.added()));
 * }</pre>
 *
 * <p>It comes before the adapter is injected, and again, by the same call, before a saved adapter is. The former arrays are not written to.
 *
 * @param module module path of the table
 * @param before how many tokens there were
 * @param after how many there are
 * @param variables the variables that have something for each token, the table first
 */
public record ResizedVocabulary(String module, int before, int after, List<String> variables) {
    public ResizedVocabulary {
        variables = List.copyOf(variables);
    }

    /**
     * Resizes the vocabulary of a model, in its graph.
     *
     * @param model a model without adapters
     * @param tokens how many tokens there shall be, no fewer than there are
     * @throws InvalidInputException if there would be fewer, or the graph stores the vocabulary's size where it cannot be changed; the graph
     *     is unchanged then
     */
    public static ResizedVocabulary of(BaseModel model, int tokens) {
        return of(model.graph(), model.modulePaths(), tokens);
    }

    /** Resizes the vocabulary of a graph, see {@link #of(BaseModel, int)}; module paths as {@link BaseModel#modulePaths} has them. */
    public static ResizedVocabulary of(SameDiff graph, Map<String, String> modulePaths, int tokens) {
        AdapterTensors.any(graph).ifPresent(tensor -> {
            throw new InvalidInputException("the graph has adapters already (`" + tensor
                    + "`); resize the vocabulary before they are injected");
        });
        VocabularyParts parts = VocabularyParts.of(graph, modulePaths);
        int before = parts.table().in();
        if (tokens < before) {
            throw new InvalidInputException("the vocabulary has " + before + " tokens, it cannot be cut to " + tokens
                    + "; give as many or more");
        }
        ResizedVocabulary resized = new ResizedVocabulary(parts.table().module(), before, tokens, parts.variables());
        if (tokens > before) {
            resized.apply(graph, parts);
        }
        return resized;
    }

    /** Returns the new tokens, for {@code AdapterConfig.withTrainableTokens}. */
    public int[] added() {
        return IntStream.range(before, after).toArray();
    }

    private void apply(SameDiff graph, VocabularyParts parts) {
        GraphEditor editor = new GraphEditor(graph);
        grow(graph, editor, parts.table().weight(), 0);
        for (LinearSite head : parts.heads()) {
            grow(graph, editor, head.weight(), head.orientation() == Orientation.OUT_IN ? 0 : 1);
        }
        for (String vector : parts.vectors()) {
            grow(graph, editor, vector, graph.getVariable(vector).getArr().rank() - 1);
        }
        GraphVersion.of(graph).structureChanged();
    }

    private void grow(SameDiff graph, GraphEditor editor, String name, int axis) {
        INDArray array = graph.getVariable(name).getArr();
        INDArray mean = array.castTo(DataType.DOUBLE).mean(true, axis).castTo(array.dataType());
        INDArray[] parts = new INDArray[1 + after - before];
        parts[0] = array;
        for (int i = 1; i < parts.length; i++) {
            parts[i] = mean;
        }
        editor.replaceArray(name, Nd4j.concat(axis, parts).dup('c'));
    }
}
