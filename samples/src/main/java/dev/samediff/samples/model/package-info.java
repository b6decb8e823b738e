/**
 * An imported language model with its tokenizer, ready to be fed: which input takes what, which output are the logits,
 * how long a text may be.
 */
@NullMarked
package dev.samediff.samples.model;

import org.jspecify.annotations.NullMarked;
