/**
 * The trial this project exists for: fine-tuning a base model with adapters. The model is loaded once and its weights are
 * decomposed once for all trials.
 */
@NullMarked
package dev.samediff.tuning.training;

import org.jspecify.annotations.NullMarked;
