/** When a trial is hopeless, going by what it and others reported. Pure functions of reports: no clock, no shared state. */
@NullMarked
package dev.samediff.tuning.pruning;

import org.jspecify.annotations.NullMarked;
