/**
 * Heads that a task needs and a graph lacks.
 *
 * <p>Belongs here: ops that are appended to a graph, with their start. Does not belong here: losses ({@code train.loss}), and how
 * a head is trained, saved and merged, which is what adapters do with every tensor that is trained whole ({@code inject}).
 */
@NullMarked
package dev.samediff.adapters.task;

import org.jspecify.annotations.NullMarked;
