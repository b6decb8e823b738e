/**
 * How results are shown: tables, numbers, JSON lines, progress.
 *
 * <p>Results go to standard output, everything else to standard error. What is computed does not belong here.
 */
@NullMarked
package dev.samediff.samples.output;

import org.jspecify.annotations.NullMarked;
