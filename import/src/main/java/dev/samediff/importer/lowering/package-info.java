/**
 * ONNX operators as SameDiff operators. Each family of operators is one file; adding an operator is one entry in its
 * {@code register} method. Only SameDiff operators whose result and gradient are known to be right may be emitted
 * (docs/decisions/0004-operations-never-emitted.md lists the others).
 */
@NullMarked
package dev.samediff.importer.lowering;

import org.jspecify.annotations.NullMarked;
