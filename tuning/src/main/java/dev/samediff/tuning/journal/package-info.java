/** The durable record of ended trials, and what can be read from it: CSV, importance of parameters. */
@NullMarked
package dev.samediff.tuning.journal;

import org.jspecify.annotations.NullMarked;
