/**
 * From a model to text: sampling, with and without a cache of keys and values.
 *
 * <p>Belongs here: generation. Does not belong here: how a cache is computed ({@code engine.compiled}).
 */
@NullMarked
package dev.samediff.adapters.text.generation;

import org.jspecify.annotations.NullMarked;
