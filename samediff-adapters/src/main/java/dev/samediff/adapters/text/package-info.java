/**
 * Text in, text out: tokenizers, examples read from JSONL, batches for {@code fit}, and generation.
 *
 * <p>The way of the data: {@link dev.samediff.adapters.text.jsonl.JsonlExamples} reads {@link
 * dev.samediff.adapters.text.jsonl.TextExample}s, {@link dev.samediff.adapters.text.batch.SequenceEncoder} turns them into {@link
 * dev.samediff.adapters.text.batch.TokenSequence}s with a {@link dev.samediff.adapters.text.tokenizer.Tokenizer}, {@link
 * dev.samediff.adapters.text.batch.CausalLmIterator} batches those as {@code MultiDataSet}s; {@link
 * dev.samediff.adapters.text.generation.TextGenerator} goes the other way, fast with {@link dev.samediff.adapters.text.generation.CachedLogits}.
 *
 * <p>Belongs here: everything between a text file and the placeholders of a graph. Does not belong here: losses and
 * optimisation ({@code train}), task metrics such as exact match (samples), prompt wording of one data set (samples).
 */
@NullMarked
package dev.samediff.adapters.text;

import org.jspecify.annotations.NullMarked;
