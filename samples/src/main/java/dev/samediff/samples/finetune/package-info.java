/**
 * The main job: measure a model, adapt it, train, measure again, and keep what came of it.
 *
 * <p>Plain classes that return their results; nothing is printed here.
 */
@NullMarked
package dev.samediff.samples.finetune;

import org.jspecify.annotations.NullMarked;
