/**
 * The engine of static plans: from a graph and the shapes of its placeholders to a plan that is kept as long as nothing it was made of has changed.
 *
 * <p>Belongs here: engines and decoding sessions, what they derive from weights and constants, how they notice changes. Does not belong here: what is
 * fused ({@code fusion}), derivatives ({@code gradient}), memory and kernels ({@code plan}, {@code kernel}).
 */
@NullMarked
package dev.samediff.adapters.engine.compiled;

import org.jspecify.annotations.NullMarked;
