/**
 * Executing one training or inference step of a graph.
 *
 * <p>Belongs here: engines, their plans and their memory. Does not belong here: how graphs are derived or edited
 * ({@code graph}), what is done with the gradients ({@code train}).
 */
@NullMarked
package dev.samediff.adapters.engine;

import org.jspecify.annotations.NullMarked;
