/** Training, using and measuring classifiers of texts, for the command line. */
@org.jspecify.annotations.NullMarked
package dev.samediff.samples.classify;
