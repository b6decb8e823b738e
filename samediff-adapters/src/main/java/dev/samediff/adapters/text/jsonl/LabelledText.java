package dev.samediff.adapters.text.jsonl;

/**
 * A text and its class.
 *
 * @param text the text
 * @param label index of the class
 */
public record LabelledText(String text, int label) {}
