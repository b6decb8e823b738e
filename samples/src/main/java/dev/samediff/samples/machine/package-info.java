/** What this machine offers to training: processor, memory, linear algebra, and what follows from it. */
@NullMarked
package dev.samediff.samples.machine;

import org.jspecify.annotations.NullMarked;
