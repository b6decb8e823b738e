/**
 * The processor as a target of plans: kernels on raw memory outside the Java heap, made once for fixed shapes, run many times
 * without allocation.
 *
 * <p>Most are primitives of oneDNN; what oneDNN does not have, or has only as a slow reference, is put together from
 * several primitives or is a loop in Java. Belongs here: everything that knows {@code org.bytedeco.dnnl}. Does not belong
 * here: graphs, and how plans lay tensors out.
 */
@NullMarked
package dev.samediff.adapters.engine.kernel;

import org.jspecify.annotations.NullMarked;
