/**
 * The contract of DL4J's layers and vertices: one example of every class, the positions it is tried in, and the table of
 * docs/dl4j.md that comes out of it.
 */
@NullMarked
package dev.samediff.dl4j.contract;

import org.jspecify.annotations.NullMarked;
