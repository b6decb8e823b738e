/**
 * Finding linear layers in a SameDiff graph, rewiring them, and deriving gradient graphs.
 *
 * <p>The only package that touches SameDiff's internal {@code SameDiffOp} and {@code Variable} tables. Does not belong
 * here: what an adapter computes ({@code method}), how a graph is executed ({@code engine}).
 */
@NullMarked
package dev.samediff.adapters.graph;

import org.jspecify.annotations.NullMarked;
