/**
 * Derivatives of programs: for every operation, the nodes that carry a gradient from its outputs to its inputs.
 *
 * <p>Belongs here: the rules of differentiation. Does not belong here: which variables are trained ({@code train}), and how
 * nodes are executed.
 *
 * <p>Internal: public for the packages of this project, and changed without notice.
 */
@Internal
@NullMarked
package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.Internal;
import org.jspecify.annotations.NullMarked;
