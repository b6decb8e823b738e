/** An ONNX file as Java objects: reading and checking it, nodes in order, attributes and tensors. No SameDiff here. */
@NullMarked
package dev.samediff.importer.onnx;

import org.jspecify.annotations.NullMarked;
