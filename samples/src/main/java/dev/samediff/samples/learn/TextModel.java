package dev.samediff.samples.learn;

import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.onnx.WeightPlace;
import dev.samediff.samples.model.ContextLength;
import dev.samediff.samples.model.InputBinding;
import dev.samediff.samples.model.LargeModels;
import dev.samediff.samples.model.Vocabularies;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An imported model of texts, of any kind, and its tokenizer.
 *
 * @param imported the model
 * @param tokenizer its tokenizer
 * @param inputs which input takes what
 * @param maxLength most tokens of a text
 */
public record TextModel(ImportedModel imported, Tokenizer tokenizer, InputBinding inputs, int maxLength) {
    /**
     * Imports a model.
     *
     * @param model an ONNX model, a frozen TensorFlow graph or a SavedModel folder
     * @param tokenizer its tokenizer
     * @param maxLength most tokens of a text; found if absent
     * @param task what else fills inputs
     * @param vocabulary how many tokens the model gets
     * @param place where its weights lie
     * @throws dev.samediff.adapters.InvalidInputException if texts cannot fill its inputs
     */
    public static TextModel load(
            Path model,
            Tokenizer tokenizer,
            Optional<Integer> maxLength,
            TextTask<?> task,
            Vocabularies vocabulary,
            WeightPlace place) {
        ImportedModel imported = vocabulary.of(LargeModels.load(model, place), tokenizer);
        InputBinding inputs = InputBinding.of(imported.graph(), task.otherInputs());
        return new TextModel(imported, tokenizer, inputs, ContextLength.of(imported, inputs, maxLength));
    }
}
