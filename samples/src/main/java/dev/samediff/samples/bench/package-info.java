/** Measurements with a command of their own: models made to measure, fresh processes, time and memory. */
@NullMarked
package dev.samediff.samples.bench;

import org.jspecify.annotations.NullMarked;
