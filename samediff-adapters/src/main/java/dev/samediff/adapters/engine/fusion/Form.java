package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.Tensor;

/**
 * Nodes that together compute what one node computes better. A form is right for every graph it matches or it does not
 * match: its pattern states axes, shapes and readers, and where the node it makes has no derivative by something trainable
 * ({@link Site#isTrained}), the pattern says so.
 */
interface Form {
    /** Returns what is looked for. */
    Pattern pattern();

    /** Writes what takes its place, a tensor of the same type and shape. */
    Tensor result(Match match);
}
