package dev.samediff.adapters.text.batch;

import java.io.Serializable;

/**
 * Two answers to one prompt, as tokens.
 *
 * @param chosen prompt and the better answer, of which the answer's tokens count
 * @param rejected prompt and the worse answer
 */
public record PreferencePair(TokenSequence chosen, TokenSequence rejected) implements Serializable {}
