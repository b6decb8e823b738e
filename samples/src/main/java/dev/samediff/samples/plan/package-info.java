/**
 * What a training would need, found out without reading a weight: the graph is imported with blank weights, adapters are put in, and the
 * step is compiled but not run.
 *
 * <p>Belongs here: memory and time of a training by part, what fits. Does not belong here: the training ({@code finetune}).
 */
@NullMarked
package dev.samediff.samples.plan;

import org.jspecify.annotations.NullMarked;
