/** Imports transformer graphs from ONNX and TensorFlow as plain, trainable SameDiff graphs, and writes adapted weights back. */
@NullMarked
package dev.samediff.importer;

import org.jspecify.annotations.NullMarked;
