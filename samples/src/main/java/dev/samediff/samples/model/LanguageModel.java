package dev.samediff.samples.model;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.DecodingSession;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.generation.CachedLogits;
import dev.samediff.adapters.text.generation.Capacities;
import dev.samediff.adapters.text.generation.LogitsFunction;
import dev.samediff.adapters.text.tokenizer.Framing;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.TensorSpec;
import dev.samediff.importer.onnx.WeightPlace;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An imported causal language model and its tokenizer.
 *
 * @param imported the model
 * @param tokenizer its tokenizer
 * @param inputs which input takes what
 * @param logits the output that scores the next token, [batch, T, vocabulary]
 * @param maxLength most tokens of a text
 * @param framing what goes around texts
 */
public record LanguageModel(
        ImportedModel imported,
        Tokenizer tokenizer,
        InputBinding inputs,
        String logits,
        int maxLength,
        Framing framing) {
    private static final int PROBE_LENGTH = 3;

    /**
     * Imports a model, and runs it once to see which output are the logits.
     *
     * @param model an ONNX model, a frozen TensorFlow graph or a SavedModel folder
     * @param tokenizer its tokenizer
     * @param logits name of the output with the logits; found if absent
     * @param maxLength most tokens of a text; found if absent
     * @throws InvalidInputException if it cannot be used as a causal language model with this tokenizer
     */
    public static LanguageModel load(
            Path model, Tokenizer tokenizer, Optional<String> logits, Optional<Integer> maxLength) {
        return load(model, tokenizer, logits, maxLength, Vocabularies.AS_IT_IS, LargeModels.place());
    }

    /**
     * As {@link #load(Path, Tokenizer, Optional, Optional)}, with another vocabulary.
     *
     * @param vocabulary how many tokens the model gets
     * @param place where its weights lie
     */
    public static LanguageModel load(
            Path model,
            Tokenizer tokenizer,
            Optional<String> logits,
            Optional<Integer> maxLength,
            Vocabularies vocabulary,
            WeightPlace place) {
        ImportedModel imported = vocabulary.of(LargeModels.load(model, place), tokenizer);
        InputBinding inputs = InputBinding.causal(imported.graph());
        int length = ContextLength.of(imported, inputs, maxLength);
        String scores = logits(imported, tokenizer, inputs, logits, length);
        return new LanguageModel(
                imported,
                tokenizer,
                Isolation.withMask(imported, inputs, scores, length, tokenizer.vocabularySize()),
                scores,
                length,
                tokenizer.framing());
    }

    /**
     * Runs a model once, to see which output scores the next token.
     *
     * @param requested the user's choice; found if absent
     * @param length most tokens of a text
     * @throws InvalidInputException if none, or more than one, fits
     */
    public static String logits(
            ImportedModel imported, Tokenizer tokenizer, InputBinding inputs, Optional<String> requested, int length) {
        int probe = inputs.fixedLength().orElse(Math.min(PROBE_LENGTH, length));
        INDArray ids = Nd4j.valueArrayOf(new long[] {1, probe}, tokenizer.eosId())
                .castTo(org.nd4j.linalg.api.buffer.DataType.LONG);
        try (Engine engine = new ReferenceEngine(imported.graph(), "", List.of())) {
            Map<String, INDArray> probed = inputs.fill(ids, new int[] {probe});
            imported.requireValid(probed);
            Map<String, INDArray> outputs = engine.outputs(probed, outputNames(imported));
            return Logits.choose(outputs, requested, probe, tokenizer.vocabularySize());
        }
    }

    private static List<String> outputNames(ImportedModel imported) {
        return imported.outputs().stream().map(TensorSpec::variable).toList();
    }

    /** Returns this with something else in front of texts. */
    public LanguageModel withFraming(Framing other) {
        return new LanguageModel(imported, tokenizer, inputs, logits, maxLength, other);
    }

    /** Returns what makes token sequences of texts, the same for training, evaluation and generation. */
    public SequenceEncoder encoder() {
        return SequenceEncoder.of(tokenizer, maxLength).withFraming(framing);
    }

    /** Returns the graph. */
    public SameDiff graph() {
        return imported.graph();
    }

    /** Returns this model as generation sees it, executed by an engine of its graph. */
    public LogitsFunction logitsBy(Engine engine) {
        return (ids, lengths) -> {
            INDArray scores =
                    engine.outputs(filled(ids, lengths), List.of(logits)).get(logits);
            if (scores == null) {
                throw new IllegalStateException("the engine did not return " + logits);
            }
            return scores;
        };
    }

    /**
     * Returns this model with a key/value cache, if its graph can be computed position by position.
     *
     * @param engine computes whole texts: the first batch to compare with, and everything if there can be no cache
     * @param options precision and threads of the cached computation
     */
    public CachedLogits cachedLogitsBy(Engine engine, EngineOptions options) {
        Capacities capacities = inputs.fixedLength().isPresent()
                ? new Capacities(inputs.fixedLength().getAsInt(), maxLength)
                : Capacities.upTo(maxLength);
        DecodingSession session = new DecodingSession(graph(), inputs.ids(), logits, options);
        return new CachedLogits(session, logitsBy(engine), this::filled, capacities);
    }

    private Map<String, INDArray> filled(INDArray ids, int... lengths) {
        Map<String, INDArray> values = inputs.fill(ids, lengths);
        imported.requireValid(values);
        return values;
    }
}
