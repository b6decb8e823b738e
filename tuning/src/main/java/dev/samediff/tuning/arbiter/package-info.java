/**
 * Arbiter beta7 under this project's sweeps: spaces, generators and the local runner.
 *
 * <p>The only package that imports Arbiter. Its defects are worked around here, each with a test that shows it in Arbiter
 * itself: see {@code docs/tuning.md}.
 */
@NullMarked
package dev.samediff.tuning.arbiter;

import org.jspecify.annotations.NullMarked;
