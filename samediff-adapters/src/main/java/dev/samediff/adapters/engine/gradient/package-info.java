/**
 * Derivatives of programs: for every operation, the nodes that carry a gradient from its outputs to its inputs.
 *
 * <p>Belongs here: the rules of differentiation. Does not belong here: which variables are trained ({@code train}), and how
 * nodes are executed.
 */
@NullMarked
package dev.samediff.adapters.engine.gradient;

import org.jspecify.annotations.NullMarked;
