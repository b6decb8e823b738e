/**
 * Examples read from JSONL files.
 *
 * <p>Belongs here: lines, layouts, what is reported of broken lines. Does not belong here: tokens ({@code text.tokenizer}).
 */
@NullMarked
package dev.samediff.adapters.text.jsonl;

import org.jspecify.annotations.NullMarked;
