/** Helpers of the engine's tests. */
@NullMarked
package dev.samediff.adapters.engine.testing;

import org.jspecify.annotations.NullMarked;
