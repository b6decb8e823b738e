/** Tests of the gate and of the choice of the backend, without a device; comparisons of a device with the CPU. */
@NullMarked
package dev.samediff.adapters.backend;

import org.jspecify.annotations.NullMarked;
