/**
 * Decompositions on the host: exact SVD and QR by LAPACKE, randomised SVD, orthonormality measures.
 *
 * <p>The only package that factorises matrices. ND4J's own {@code svd} and {@code qr} ops are wrong or crash on many
 * shapes and are never called.
 */
@NullMarked
package dev.samediff.adapters.linalg;

import org.jspecify.annotations.NullMarked;
