/**
 * Networks made to be measured: GPT-2's layers at given sizes with random numbers, as ONNX files, and batches for them.
 *
 * <p>Belongs here: what is measured. Does not belong here: how ({@code bench}).
 */
@NullMarked
package dev.samediff.samples.bench.network;

import org.jspecify.annotations.NullMarked;
