package dev.samediff.samples.classify;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.predict.Classification;
import dev.samediff.adapters.predict.PredictionPlan;
import dev.samediff.adapters.predict.Predictor;
import dev.samediff.adapters.predict.TextClassifier;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import dev.samediff.samples.finetune.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A classifier that a run has left behind, ready to answer; closed with its pool.
 *
 * @param labels names of the classes
 * @param pool the model
 * @param predictor answers
 */
public record TrainedClassifier(List<String> labels, ModelPool pool, Predictor<String, Classification> predictor)
        implements AutoCloseable {
    private static final String ADAPTER = "run";

    /**
     * Opens the classifier of a run.
     *
     * @param run the folder of the run
     * @param model the model file, if it is no longer where it was
     * @param tokenizer its tokenizer, likewise
     * @throws InvalidInputException if something of it is missing, or the model is another than the one that was trained
     */
    public static TrainedClassifier open(Path run, Optional<Path> model, Optional<Path> tokenizer) throws IOException {
        ClassifierFile file = ClassifierFile.read(run);
        Path adapter = new RunFolder(run).adapter();
        boolean adapted = Files.isDirectory(adapter);
        Path source = model.orElse(Path.of(file.model()));
        if (!Files.exists(source)) {
            throw new InvalidInputException(
                    "the model " + source + " of the run " + run + " is no longer there; say where it is with --model");
        }
        TextModel loaded = TextModel.load(
                source, Tokenizers.load(tokenizer.orElse(Path.of(file.tokenizer()))), Optional.of(file.maxLength()));
        String scores = file.head().addTo(loaded, file.labels().size());
        ModelPool pool =
                ModelPool.open(loaded.imported().graph(), loaded.imported().modulePaths(), PoolOptions.defaults());
        try {
            TextClassifier classifier = TextClassifier.of(
                    pool, loaded.tokenizer(), PredictionPlan.upTo(loaded.maxLength()), scores, file.labels());
            if (adapted) {
                pool.put(ADAPTER, AdapterFolder.load(adapter));
                classifier = classifier.withAdapter(ADAPTER);
            }
            return new TrainedClassifier(file.labels(), pool, classifier);
        } catch (RuntimeException e) {
            pool.close();
            throw e;
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
