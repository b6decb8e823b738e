/**
 * Time and memory of a training step, this library's beside others', each run in a fresh process.
 *
 * <p>Belongs here: jobs, the processes that do them, their comparison. Does not belong here: the networks
 * ({@code bench.network}), the programs of the peers ({@code src/main/peers}).
 */
@NullMarked
package dev.samediff.samples.bench.step;

import org.jspecify.annotations.NullMarked;
