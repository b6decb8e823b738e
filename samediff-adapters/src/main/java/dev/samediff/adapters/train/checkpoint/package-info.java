/**
 * Interrupted trainings: the state of a trainer in a folder, and back.
 *
 * <p>Belongs here: what is saved and how it is checked. Does not belong here: how files are written durably ({@code io}).
 */
@NullMarked
package dev.samediff.adapters.train.checkpoint;

import org.jspecify.annotations.NullMarked;
