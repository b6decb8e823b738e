package dev.samediff.adapters.train;

/**
 * The part of the trained weights that an update of AdamW changes, for full fine-tuning with less memory for its moments. The weights
 * are trained themselves, so there is no adapter to save, switch off or merge.
 */
public sealed interface Subspace permits GaLore, Lisa {}
