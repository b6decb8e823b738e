/**
 * Sweeps over the hyper-parameters of adapters: what a trial is, how many run how, what came out.
 *
 * <p>Belongs here: what a user of sweeps names. What may be varied is in {@code space}, the record of ended trials in
 * {@code journal}, the trial that fine-tunes a model in {@code training}. Arbiter is known to {@code arbiter} only.
 */
@NullMarked
package dev.samediff.tuning;

import org.jspecify.annotations.NullMarked;
