/** What a model is adapted to and how one sees that it has learned: training examples, evaluation sets, exact match. */
@NullMarked
package dev.samediff.samples.task;

import org.jspecify.annotations.NullMarked;
