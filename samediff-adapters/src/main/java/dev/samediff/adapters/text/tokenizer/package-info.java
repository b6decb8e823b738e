/**
 * From text to token ids and back.
 *
 * <p>Belongs here: tokenizers, their files and special tokens.
 */
@NullMarked
package dev.samediff.adapters.text.tokenizer;

import org.jspecify.annotations.NullMarked;
