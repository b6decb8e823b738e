package dev.samediff.samples.finetune;

/**
 * What a model wrote after a prompt.
 *
 * @param prompt the prompt
 * @param expected the example's response
 * @param written the model's response
 * @param right whether that counts as right
 */
public record Sample(String prompt, String expected, String written, boolean right) {}
