/** Small tensors in plain Java memory whose elements are numbers or sizes that may be symbolic. No ND4J arrays here. */
@NullMarked
package dev.samediff.importer.tensor;

import org.jspecify.annotations.NullMarked;
