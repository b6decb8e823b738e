package dev.samediff.samples.model;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.importer.ImportedModel;
import java.util.List;

/** How many tokens a model gets before anything is done with it. */
@FunctionalInterface
public interface Vocabularies {
    /** As many as its file has. */
    Vocabularies AS_IT_IS = (model, tokenizer) -> model;

    /** As many as its tokenizer has, if these are more: what Hugging Face's {@code resize_token_embeddings(len(tokenizer))} is for. */
    Vocabularies OF_TOKENIZER = Vocabularies::ofTokenizer;

    /**
     * Returns the model with its tokens.
     *
     * @throws dev.samediff.adapters.InvalidInputException if its vocabulary cannot be resized
     */
    ImportedModel of(ImportedModel model, Tokenizer tokenizer);

    /** As many as adapters were trained with. */
    static Vocabularies of(List<AdapterState> adapters) {
        return (model, tokenizer) -> {
            ImportedModel fitting = model;
            for (AdapterState adapter : adapters) {
                fitting = fitting.resizedFor(adapter);
            }
            return fitting;
        };
    }

    private static ImportedModel ofTokenizer(ImportedModel model, Tokenizer tokenizer) {
        int present = model.tokens().orElse(0);
        int wanted = tokenizer.vocabularySize();
        return wanted > present ? model.resizeTokenEmbeddings(wanted) : model;
    }
}
