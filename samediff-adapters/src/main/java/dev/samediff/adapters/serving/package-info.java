/**
 * One base model and any number of adapters, answering requests from many threads; docs/serving.md. {@code ModelPool} takes arrays,
 * the predictors of {@code predict} take texts.
 */
@org.jspecify.annotations.NullMarked
package dev.samediff.adapters.serving;
