package dev.samediff.samples.bench.step;

/**
 * A method's step beside LoRA's, both of this library, in processes that ran one after the other.
 *
 * @param network the network's sizes
 * @param method adapters
 * @param precision of both
 * @param threads how many threads compute
 * @param time median over the rounds of the method's time by LoRA's in the same round
 * @param rss the same of peak resident memory, whole processes
 * @param rounds how many rounds had both
 */
public record MethodRatio(
        String network, String method, String precision, int threads, double time, double rss, int rounds) {}
