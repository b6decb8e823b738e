/** The ONNX operators that are evaluated while importing (constant folding), in plain Java: ND4J is never run here. */
@NullMarked
package dev.samediff.importer.folding;

import org.jspecify.annotations.NullMarked;
