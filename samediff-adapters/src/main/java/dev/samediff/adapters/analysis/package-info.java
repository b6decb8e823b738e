/**
 * What adaptation did to a weight: deviations of singular values and vectors, orthonormality, condition numbers.
 *
 * <p>Belongs here: numbers computed from weights that exist. Does not belong here: decompositions themselves
 * ({@code linalg}), anything that trains.
 */
@NullMarked
package dev.samediff.adapters.analysis;

import org.jspecify.annotations.NullMarked;
