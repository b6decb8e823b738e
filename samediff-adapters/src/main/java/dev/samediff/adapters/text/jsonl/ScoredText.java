package dev.samediff.adapters.text.jsonl;

/**
 * A text and a number that belongs to it.
 *
 * @param text the text
 * @param score the number
 */
public record ScoredText(String text, double score) {}
