/** Families of models, a file each: what a {@code model_type} computes with the tensors of its folder. */
@NullMarked
package dev.samediff.importer.huggingface.family;

import org.jspecify.annotations.NullMarked;
