package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.GraphMessage;

/**
 * Inputs of an encoder, those of an export by Optimum: {@code input_ids} and {@code attention_mask} (1 where a token is, 0 where it is
 * padding), [batch,sequence] of int64.
 *
 * @param ids the tokens
 * @param blocked true where no token must look, [batch,1,1,sequence]
 */
record EncoderInputs(String ids, String blocked) {
    static final String[] DIMS = {"batch", "sequence"};

    /** Adds the inputs. */
    static EncoderInputs of(GraphMessage graph) {
        String ids = graph.input("input_ids", DIMS);
        String mask = graph.input("attention_mask", DIMS);
        String padding = graph.node("Equal", mask, graph.integer(0));
        return new EncoderInputs(ids, graph.node("Unsqueeze", padding, graph.integers(1, 2)));
    }

    /** Adds the numbers 0, 1, 2, ... of the places in a text, padding in front of it included: [sequence]. */
    String places(GraphMessage graph) {
        String length = graph.node("Gather", graph.node("Shape", ids), graph.integer(1));
        return graph.node("Range", graph.integer(0), length, graph.integer(1));
    }
}
