/** Tests of the kernels against double precision in Java. */
@NullMarked
package dev.samediff.adapters.engine.kernel;

import org.jspecify.annotations.NullMarked;
