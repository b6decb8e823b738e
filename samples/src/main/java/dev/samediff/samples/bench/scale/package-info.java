/**
 * Memory and time of the papers' models of 1 to 7 billion parameters on this machine: folders of their shapes with random numbers, and
 * processes that import one, start adapters and train.
 *
 * <p>Belongs here: shapes, folders, the processes and their comparison with what is possible. Does not belong here: small networks and
 * the peers of other languages ({@code bench.network}, {@code bench.step}).
 */
@NullMarked
package dev.samediff.samples.bench.scale;

import org.jspecify.annotations.NullMarked;
