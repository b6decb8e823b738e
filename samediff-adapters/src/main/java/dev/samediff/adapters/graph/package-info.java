/**
 * Reading and editing SameDiff graphs: which matmuls are linear layers, which of them are meant, putting branches in and
 * taking them out, refusing ops with wrong gradients.
 *
 * <p>The only package that touches SameDiff's internals ({@code org.nd4j.autodiff.samediff.internal}).
 */
@NullMarked
package dev.samediff.adapters.graph;

import org.jspecify.annotations.NullMarked;
