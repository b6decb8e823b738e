/**
 * What a model of texts can learn beside writing on: one class for each task, with its data, what it puts on the model, its loss, its
 * metrics and its answers. The commands know {@link dev.samediff.samples.learn.TextTask} alone.
 */
@org.jspecify.annotations.NullMarked
package dev.samediff.samples.learn;
