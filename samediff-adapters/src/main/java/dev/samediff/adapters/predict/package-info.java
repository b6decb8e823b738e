/**
 * Texts in; classes, numbers, vectors or texts out: encodes and batches, asks a {@link dev.samediff.adapters.serving.ModelPool}, and
 * makes something of the scores. docs/serving.md.
 */
@org.jspecify.annotations.NullMarked
package dev.samediff.adapters.predict;
