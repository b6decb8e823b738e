package dev.samediff.adapters.task;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphVersion;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The embedding of a text, [batch, width], as sentence-transformers' pooling makes it from the features of its tokens; what {@code
 * Losses.contrastive} and its neighbours are of. It has no weights.
 *
 * @param pooling how the tokens' features become one vector: {@link Pooling#MEAN}, {@link Pooling#FIRST} or {@link Pooling#LAST}
 */
public record TextEmbedding(Pooling pooling) {
    /** The result's name, where it is free. */
    private static final String NAME = "embedding";

    public TextEmbedding {
        if (pooling == Pooling.EACH || pooling == Pooling.GIVEN) {
            throw new InvalidInputException(
                    "the pooling " + pooling + " gives no vector for a text; take MEAN, FIRST or LAST");
        }
    }

    /** Returns the mean over the tokens that the attention mask counts. */
    public static TextEmbedding mean() {
        return new TextEmbedding(Pooling.MEAN);
    }

    /**
     * Adds the embedding to a graph.
     *
     * @param graph the graph; gets the result {@code embedding}, or {@code embedding_1} and so on where that name is taken
     * @param features name of the features [batch, tokens, width]
     * @param mask name of the attention mask [batch, tokens]
     * @return name of the result [batch, width]
     * @throws InvalidInputException if a variable is not there, or the features are no floating point numbers
     */
    public String addTo(SameDiff graph, String features, String mask) {
        SDVariable given = PooledFeatures.require(graph, features, "features");
        if (!given.dataType().isFPType()) {
            throw new InvalidInputException("the features `" + features + "` are of type " + given.dataType()
                    + "; an embedding needs floating point numbers");
        }
        String name = NAME;
        for (int i = 1; graph.hasVariable(name); i++) {
            name = NAME + "_" + i;
        }
        new PooledFeatures(graph, name, pooling).of(given, Optional.of(mask)).rename(name);
        GraphVersion.of(graph).structureChanged();
        return name;
    }
}
