package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.GraphMessage;
import java.util.OptionalInt;

/**
 * Inputs of a decoder, those of an export by Optimum: {@code input_ids}, {@code attention_mask} (1 where a token is, 0 where it is
 * padding) and {@code position_ids}, all [batch,sequence] of int64.
 *
 * @param ids the tokens
 * @param positions each token's position
 * @param row the places of queries, [sequence,1]
 * @param column the places of keys, [1,sequence]
 * @param blocked true where a query must not look, [batch,1,sequence,sequence]: later tokens, padding, and what is too far back
 */
record CausalInputs(String ids, String positions, String row, String column, String blocked) {
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
        String padding = graph.node("Unsqueeze", graph.node("Equal", mask, graph.integer(0)), graph.integers(1, 2));
        String blocked = graph.node("Or", graph.node("Less", row, column), padding);
        CausalInputs inputs = new CausalInputs(ids, positions, row, column, blocked);
        return window.isPresent()
                ? new CausalInputs(ids, positions, row, column, inputs.within(graph, window.getAsInt()))
                : inputs;
    }

    /** Adds what is blocked where a query sees only so many tokens, itself included. */
    String within(GraphMessage graph, int window) {
        String last = graph.node("Add", column, graph.integer(window - 1L));
        return graph.node("Or", blocked, graph.node("Less", last, row));
    }
}
