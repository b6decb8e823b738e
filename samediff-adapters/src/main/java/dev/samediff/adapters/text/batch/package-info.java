/**
 * From examples to batches: prompts, sequences, masks, packing, the order of an epoch.
 *
 * <p>Belongs here: everything between an example and the arrays of a {@code MultiDataSet}.
 */
@NullMarked
package dev.samediff.adapters.text.batch;

import org.jspecify.annotations.NullMarked;
