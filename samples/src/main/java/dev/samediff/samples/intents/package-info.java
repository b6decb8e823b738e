/**
 * Adapters in a DL4J network on the task of telling what a sentence asks for: data, features, networks, and the comparison of
 * methods that {@code samples/run dl4j} prints.
 */
@NullMarked
package dev.samediff.samples.intents;

import org.jspecify.annotations.NullMarked;
