/**
 * Text in, text out: tokenizers, examples read from JSONL, batches for {@code fit}, and generation.
 *
 * <p>The way of the data: {@link dev.samediff.adapters.text.JsonlExamples} reads {@link
 * dev.samediff.adapters.text.TextExample}s, {@link dev.samediff.adapters.text.SequenceEncoder} turns them into {@link
 * dev.samediff.adapters.text.TokenSequence}s with a {@link dev.samediff.adapters.text.Tokenizer}, {@link
 * dev.samediff.adapters.text.CausalLmIterator} batches those as {@code MultiDataSet}s; {@link
 * dev.samediff.adapters.text.TextGenerator} goes the other way, fast with {@link dev.samediff.adapters.text.CachedLogits}.
 *
 * <p>Belongs here: everything between a text file and the placeholders of a graph. Does not belong here: losses and
 * optimisation ({@code train}), task metrics such as exact match (samples), prompt wording of one data set (samples).
 */
@NullMarked
package dev.samediff.adapters.text;

import org.jspecify.annotations.NullMarked;
