/**
 * A model and its adapters answer over HTTP, as OpenAI's API does, or at a console:
 * {@link dev.samediff.samples.serve.ServedModels} has what answers, {@code serve.http} is how it is asked.
 */
@NullMarked
package dev.samediff.samples.serve;

import org.jspecify.annotations.NullMarked;
