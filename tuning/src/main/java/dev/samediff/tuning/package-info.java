/** Hyper-parameter sweeps over rank, gamma and eta. */
@NullMarked
package dev.samediff.tuning;

import org.jspecify.annotations.NullMarked;
