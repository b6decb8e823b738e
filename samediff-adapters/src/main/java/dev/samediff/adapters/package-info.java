/**
 * Low-rank adapters on SameDiff graphs: what a user calls.
 *
 * <p>Belongs here: the adapted model, its configuration and the method SPI. Does not belong here: how graphs are edited
 * ({@code graph}), how weights are factorised ({@code linalg}), how steps are executed ({@code engine}).
 */
@NullMarked
package dev.samediff.adapters;

import org.jspecify.annotations.NullMarked;
