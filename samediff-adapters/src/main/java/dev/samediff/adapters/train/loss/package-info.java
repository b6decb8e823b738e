/**
 * Task losses in a graph.
 *
 * <p>Belongs here: losses whose gradients are right, and what they must be fed with. Does not belong here: penalties of adapters
 * ({@code method}).
 */
@NullMarked
package dev.samediff.adapters.train.loss;

import org.jspecify.annotations.NullMarked;
