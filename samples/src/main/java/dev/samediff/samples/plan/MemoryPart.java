package dev.samediff.samples.plan;

/**
 * A part of the memory that a training needs.
 *
 * @param what a phrase, such as {@code frozen weights in bfloat16}
 * @param bytes how many
 */
public record MemoryPart(String what, long bytes) {}
