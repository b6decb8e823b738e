package dev.samediff.samples.learn;

/**
 * A text with its vector, for machines.
 *
 * @param text the text
 * @param vector its vector, of length 1
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Embedded(String text, float[] vector) {}
