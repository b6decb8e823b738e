/**
 * The machinery of {@link dev.samediff.adapters.AdaptedModel}: puts adapters into a graph and takes them out again.
 *
 * <p>Belongs here: base weights and what stands in their place, the set of adapters, their losses, merging, removal. Does not
 * belong here: how a graph is edited ({@code graph}), what a method computes ({@code method}).
 *
 * <p>Internal: public for the packages of this project, and changed without notice.
 */
@Internal
@NullMarked
package dev.samediff.adapters.inject;

import dev.samediff.adapters.Internal;
import org.jspecify.annotations.NullMarked;
