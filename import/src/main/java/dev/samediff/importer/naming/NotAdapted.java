package dev.samediff.importer.naming;

/**
 * A stored weight that activations are multiplied by and no adapter can be put on.
 *
 * @param module module path, as far as it could be recovered
 * @param tensor name of the stored tensor, or of the value that is computed from stored ones
 * @param shape its shape, empty if it is not known
 * @param reason why not
 */
public record NotAdapted(String module, String tensor, String shape, String reason) {}
