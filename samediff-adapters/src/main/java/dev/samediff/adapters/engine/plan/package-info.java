/**
 * From a program to a plan: where every tensor lies, which kernel computes it, in which order.
 *
 * <p>Belongs here: layouts, views, in-place results, lifetimes, the arena, the loop over kernels, and what is asked of hardware
 * ({@link dev.samediff.adapters.engine.plan.Target}). Does not belong here: what is computed ({@code program}), kernels and
 * whatever else knows the hardware ({@code kernel} is the host).
 */
@NullMarked
package dev.samediff.adapters.engine.plan;

import org.jspecify.annotations.NullMarked;
