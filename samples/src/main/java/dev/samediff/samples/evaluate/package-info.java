/** How good a language model is on files of others: losses, answers that are extracted and compared, programs that are run. */
@NullMarked
package dev.samediff.samples.evaluate;

import org.jspecify.annotations.NullMarked;
