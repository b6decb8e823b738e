package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.GraphMessage;
import java.util.OptionalInt;

/**
 * Inputs of a decoder, those of an export by Optimum: {@code input_ids}, {@code attention_mask} (1 where a token is, 0 where it is
 * padding) and {@code position_ids}, all [batch,sequence] of int64.
 *
 * @param ids the tokens
 * @param positions each token's position
 * @param blocked true where a query must not look, [batch,1,sequence,sequence]: later tokens, padding, and what is too far back
 */
record CausalInputs(String ids, String positions, String blocked) {
    static final String[] DIMS = {"batch", "sequence"};

    /**
     * Adds the inputs.
     *
     * @param window how many tokens a query sees, itself included; empty: all before it
     */
    static CausalInputs of(GraphMessage graph, OptionalInt window) {
        String ids = graph.input("input_ids", DIMS);
        String mask = graph.input("attention_mask", DIMS);
        String positions = graph.input("position_ids", DIMS);
        String length = graph.node("Gather", graph.node("Shape", ids), graph.integer(1));
        String places = graph.node("Range", graph.integer(0), length, graph.integer(1));
        String row = graph.node("Unsqueeze", places, graph.integers(1));
        String column = graph.node("Unsqueeze", places, graph.integers(0));
        String hidden = graph.node("Less", row, column);
        if (window.isPresent()) {
            String last = graph.node("Add", column, graph.integer(window.getAsInt() - 1L));
            hidden = graph.node("Or", hidden, graph.node("Less", last, row));
        }
        String padding = graph.node("Unsqueeze", graph.node("Equal", mask, graph.integer(0)), graph.integers(1, 2));
        return new CausalInputs(ids, positions, graph.node("Or", hidden, padding));
    }
}
