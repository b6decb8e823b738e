/**
 * Programs in plain Java loops over float64 numbers: what engines, kernels and derivatives are compared with. It shares no
 * arithmetic with the product.
 */
@NullMarked
package dev.samediff.adapters.engine.oracle;

import org.jspecify.annotations.NullMarked;
