/**
 * Hugging Face folders: {@code config.json} and {@code model.safetensors} become an ONNX message whose weights stay in the folder's
 * files ({@code docs/huggingface.md}).
 */
@NullMarked
package dev.samediff.importer.huggingface;

import org.jspecify.annotations.NullMarked;
