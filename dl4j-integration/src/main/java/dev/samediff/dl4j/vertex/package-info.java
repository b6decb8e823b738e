/**
 * SameDiff graphs with adapters, such as imported transformers, as vertices of a DL4J {@code ComputationGraph}. Networks of
 * DL4J's own layers belong to {@link dev.samediff.dl4j.AdapterTransfer}.
 */
@NullMarked
package dev.samediff.dl4j.vertex;

import org.jspecify.annotations.NullMarked;
