/**
 * Time of starting adapters, which is decomposing every weight, beside NumPy's and PyTorch's.
 *
 * <p>Belongs here: the processes that decompose, and their comparison. Does not belong here: training steps
 * ({@code bench.step}).
 */
@NullMarked
package dev.samediff.samples.bench.init;

import org.jspecify.annotations.NullMarked;
