package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.TextRecipe;
import dev.samediff.adapters.text.tokenizer.Beginning;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.importer.onnx.WeightPlace;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.model.LargeModels;
import dev.samediff.samples.model.Vocabularies;
import dev.samediff.samples.task.Task;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which language model. */
final class ModelOptions {
    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description =
                    "A causal language model: an ONNX file, a Hugging Face folder, or a TensorFlow graph (.pb, .pbtxt, SavedModel folder)."
                            + " Default: the bundled story model.")
    @Nullable
    Path model;

    @Option(
            names = "--tokenizer",
            paramLabel = "FILE",
            description = "Its tokenizer: a tokenizer.json, a folder with one, or a character vocabulary.")
    @Nullable
    Path tokenizer;

    @Option(
            names = "--logits",
            paramLabel = "NAME",
            description =
                    "The output that scores the next token; of other tasks, one that is learned in place of a new head."
                            + " Default: the only one it can be.")
    @Nullable
    String logits;

    @Option(
            names = "--max-length",
            paramLabel = "N",
            description =
                    "Most tokens of a text. Default: what the model's position table or fixed shape allows, 256 if"
                            + " neither says.")
    @Nullable
    Integer maxLength;

    @Option(
            names = "--bos",
            paramLabel = "WHEN",
            defaultValue = "auto",
            description =
                    "Whether texts begin with the tokenizer's beginning token: auto (as its files say), yes or no."
                            + " Never doubled. Default: ${DEFAULT-VALUE}.")
    Beginning bos = Beginning.AUTO;

    /** Folder for weights of large models, where a command lets one choose it. */
    private @Nullable Path weights;

    /**
     * Takes over where the weights of a large model lie.
     *
     * @throws InvalidInputException if a training of it has no room in this machine's memory
     */
    void prepare(ExecutionOptions execution) {
        weights = execution.weightsDirectory();
        if (model != null) {
            LargeModels.requireRoom(model, execution.engine());
        }
    }

    /** Returns where the model's weights lie. */
    WeightPlace place() {
        return weights == null ? LargeModels.place() : LargeModels.place(weights);
    }

    /** Returns the given model, or the bundled one. */
    static Path file(@Nullable Path given) {
        return given == null ? BundledModel.extract().onnx() : given;
    }

    /** Returns the model file, or what stands for it. */
    String describe() {
        return model == null ? "bundled story model" : model.toString();
    }

    boolean isBundled() {
        return model == null;
    }

    /** Imports the model and finds out how to feed it. */
    LanguageModel load() {
        return load(Vocabularies.AS_IT_IS);
    }

    private LanguageModel load(Vocabularies vocabulary) {
        LanguageModel loaded = imported(vocabulary);
        return bos == Beginning.AUTO ? loaded : loaded.withFraming(bos.of(loaded.tokenizer()));
    }

    /** The same for a task; of conversations the chat template writes all of a text, a beginning token too. */
    LanguageModel load(Task task) {
        return load(task, Vocabularies.AS_IT_IS);
    }

    /** The same with another vocabulary. */
    LanguageModel load(Task task, Vocabularies vocabulary) {
        LanguageModel loaded = load(vocabulary);
        return task.chat().isPresent() && bos == Beginning.AUTO
                ? loaded.withFraming(loaded.framing().withBefore(List.of(), "the chat template writes all of it"))
                : loaded;
    }

    /** The same for adapters. */
    LanguageModel load(List<AdapterState> adapters) {
        return load(Vocabularies.of(adapters));
    }

    /** The same for an adapter, whose training decides what {@code --bos} leaves open. */
    LanguageModel load(Optional<TextRecipe> recipe, Vocabularies vocabulary) {
        LanguageModel loaded = load(vocabulary);
        return bos == Beginning.AUTO && recipe.isPresent()
                ? loaded.withFraming(recipe.get().applyTo(loaded.framing()))
                : loaded;
    }

    private LanguageModel imported(Vocabularies vocabulary) {
        if (model == null) {
            if (tokenizer != null) {
                throw new InvalidInputException(
                        "--tokenizer " + tokenizer + " without --model: the bundled model has its own; give both");
            }
            BundledModel bundled = BundledModel.extract();
            return LanguageModel.load(
                    bundled.onnx(),
                    Tokenizers.load(bundled.vocabulary()),
                    Optional.empty(),
                    Optional.ofNullable(maxLength),
                    vocabulary,
                    place());
        }
        if (tokenizer == null) {
            throw new InvalidInputException("--model " + model
                    + " needs --tokenizer: a tokenizer.json, a folder with one, or a character vocabulary");
        }
        return LanguageModel.load(
                model,
                Tokenizers.load(tokenizer),
                Optional.ofNullable(logits),
                Optional.ofNullable(maxLength),
                vocabulary,
                place());
    }
}
