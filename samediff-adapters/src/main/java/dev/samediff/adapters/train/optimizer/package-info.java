/**
 * What happens to gradients: sums, clipping, the penalty, AdamW on host and device, learning rate schedules.
 *
 * <p>Belongs here: everything between the gradients of a batch and the new parameters. Does not belong here: how gradients are
 * computed ({@code engine}).
 */
@NullMarked
package dev.samediff.adapters.train.optimizer;

import org.jspecify.annotations.NullMarked;
