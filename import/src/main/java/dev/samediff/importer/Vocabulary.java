package dev.samediff.importer;

import dev.samediff.importer.onnx.VocabularyEdit;

/** What an imported model asks its importer about its vocabulary. */
interface Vocabulary {
    /**
     * Returns the tensors that have something for each token.
     *
     * @throws dev.samediff.adapters.InvalidInputException if it has no vocabulary, or one that cannot be resized
     */
    VocabularyEdit use();

    /** Returns the tokens beside those of the file. */
    int[] added();

    /**
     * Imports the model again with another number of tokens.
     *
     * @throws dev.samediff.adapters.InvalidInputException as {@link #use}
     */
    ImportedModel resized(int tokens);
}
