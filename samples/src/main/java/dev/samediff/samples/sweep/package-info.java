/** Sweeps of fine-tunings from the command line: the papers' sweeps, the live table, the report. How to search is in {@code tuning}. */
@NullMarked
package dev.samediff.samples.sweep;

import org.jspecify.annotations.NullMarked;
