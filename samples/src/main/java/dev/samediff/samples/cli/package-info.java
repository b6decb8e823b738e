/**
 * The command line: one thin class per command, options shared between them, and how failures end.
 *
 * <p>Belongs here: reading options, calling a job, printing its result. The jobs themselves are plain classes that return
 * their results, in the packages beside this one.
 */
@NullMarked
package dev.samediff.samples.cli;

import org.jspecify.annotations.NullMarked;
