/**
 * Training: losses, plans, schedules, AdamW, the trainer, checkpoints, listeners.
 *
 * <p>Does not belong here: where batches come from ({@code text}), how a step is executed ({@code engine}), what an
 * adapter is ({@code method}).
 */
@NullMarked
package dev.samediff.adapters.train;

import org.jspecify.annotations.NullMarked;
