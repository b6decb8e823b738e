package dev.samediff.adapters.backend;

/**
 * What computes in this process.
 *
 * @param cuda whether it is the CUDA device, else the CPU
 * @param sentence what computes and why, for people
 */
public record BackendChoice(boolean cuda, String sentence) {}
