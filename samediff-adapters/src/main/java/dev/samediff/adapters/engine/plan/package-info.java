/**
 * From a program to a plan: where every tensor lies, which kernel computes it, in which order.
 *
 * <p>Belongs here: layouts, views, in-place results, lifetimes, the arena, the loop over kernels. Does not belong here: what
 * is computed ({@code program}) and the kernels themselves ({@code kernel}).
 */
@NullMarked
package dev.samediff.adapters.engine.plan;

import org.jspecify.annotations.NullMarked;
