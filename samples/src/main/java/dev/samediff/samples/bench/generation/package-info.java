/**
 * How long a token takes that is written after so many others, with and without a key/value cache.
 *
 * <p>Belongs here: the measurement and its rows. Does not belong here: the networks ({@code bench.network}).
 */
@NullMarked
package dev.samediff.samples.bench.generation;

import org.jspecify.annotations.NullMarked;
