/** Operators by element types and situations, each a cell of a table that is held against ONNX Runtime. */
@org.jspecify.annotations.NullMarked
package dev.samediff.importer.cells;
