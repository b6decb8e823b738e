/**
 * What runs: DL4J's own implementations of layers on composed weights, and the composition itself. Nothing here knows a
 * type of layer; that is in {@link dev.samediff.dl4j.weight}.
 */
@NullMarked
package dev.samediff.dl4j.layer;

import org.jspecify.annotations.NullMarked;
