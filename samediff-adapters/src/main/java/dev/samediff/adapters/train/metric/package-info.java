/**
 * How good a model's results are, beside its loss.
 *
 * <p>Belongs here: metrics over evaluation data, through DL4J's own evaluations where these exist. Does not belong here: what is
 * decided by them ({@code train}).
 */
@NullMarked
package dev.samediff.adapters.train.metric;

import org.jspecify.annotations.NullMarked;
