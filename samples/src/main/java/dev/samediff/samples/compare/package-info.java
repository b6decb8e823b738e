/** Several methods on one task with the same data in the same order: who learns how fast, and at what cost. */
@NullMarked
package dev.samediff.samples.compare;

import org.jspecify.annotations.NullMarked;
