/** What answers of a served model cost. */
@org.jspecify.annotations.NullMarked
package dev.samediff.samples.bench.serving;
