/** The command line and runnable examples of every step. */
@NullMarked
package dev.samediff.samples;

import org.jspecify.annotations.NullMarked;
