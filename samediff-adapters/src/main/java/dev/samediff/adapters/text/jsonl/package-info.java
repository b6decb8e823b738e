/**
 * Examples read from JSONL files.
 *
 * <p>The way of texts: {@link dev.samediff.adapters.text.jsonl.JsonlExamples} reads {@link
 * dev.samediff.adapters.text.jsonl.TextExample}s, {@link dev.samediff.adapters.text.batch.SequenceEncoder} turns them into {@link
 * dev.samediff.adapters.text.batch.TokenSequence}s with a {@link dev.samediff.adapters.text.tokenizer.Tokenizer}, {@link
 * dev.samediff.adapters.text.batch.CausalLmIterator} batches those as {@code MultiDataSet}s; {@link
 * dev.samediff.adapters.text.generation.TextGenerator} goes the other way, fast with {@link
 * dev.samediff.adapters.text.generation.CachedLogits}.
 *
 * <p>Belongs here: lines, layouts, what is reported of broken lines. Does not belong here: tokens ({@code text.tokenizer}).
 */
@NullMarked
package dev.samediff.adapters.text.jsonl;

import org.jspecify.annotations.NullMarked;
