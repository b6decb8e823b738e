/**
 * From the program of a causal decoder to one that computes a single position of every text, with caches of keys and values.
 *
 * <p>Belongs here: which axis of a tensor is the position, what becomes a cache, the rewritten program. Does not belong here:
 * plans and cache memory ({@code engine}) and when to use them ({@code text.CachedLogits}).
 *
 * <p>Internal: public for the packages of this project, and changed without notice.
 */
@Internal
@NullMarked
package dev.samediff.adapters.engine.decoding;

import dev.samediff.adapters.Internal;
import org.jspecify.annotations.NullMarked;
