package dev.samediff.importer.random;

import java.util.function.Consumer;

/**
 * How an operator is put on top of a random graph.
 *
 * @param name the operator
 * @param firstOpset oldest operator set it is used in
 * @param lastOpset newest operator set it is used in
 * @param maker picks inputs and attributes and adds nodes; throws {@link Draft.Unfit} if nothing fits
 */
record OperatorMaker(String name, int firstOpset, int lastOpset, Consumer<Draft> maker) {}
