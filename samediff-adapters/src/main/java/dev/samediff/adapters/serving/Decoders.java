package dev.samediff.adapters.serving;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.DecodingSession;
import dev.samediff.adapters.engine.compiled.SharedCopies;
import dev.samediff.adapters.graph.ExecutionOrder;
import dev.samediff.adapters.text.batch.SequenceFeature;
import dev.samediff.adapters.text.generation.CachedLogits;
import dev.samediff.adapters.text.generation.Capacities;
import dev.samediff.adapters.text.generation.GraphLogits;
import dev.samediff.adapters.text.generation.LogitsFunction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The decoders of one worker, by what they compute; their plans and caches serve one request after the other. */
final class Decoders implements AutoCloseable {
    private final SameDiff graph;
    private final Engine engine;
    private final EngineOptions options;
    private final SharedCopies copies;
    private final Map<Key, CachedLogits> open = new HashMap<>();

    private record Key(String logits, int longest) {}

    Decoders(SameDiff graph, Engine engine, EngineOptions options, SharedCopies copies) {
        this.graph = graph;
        this.engine = engine;
        this.options = options;
        this.copies = copies;
    }

    LogitsFunction get(String logits, int longest) {
        return open.computeIfAbsent(new Key(logits, longest), key -> decoder(logits, longest));
    }

    private CachedLogits decoder(String logits, int longest) {
        List<String> inputs = ExecutionOrder.of(graph, List.of(logits)).stream()
                .flatMap(node -> node.inputs().stream())
                .distinct()
                .map(graph::getVariable)
                .filter(SDVariable::isPlaceHolder)
                .map(SDVariable::name)
                .toList();
        GraphLogits texts = new GraphLogits(graph, inputs, logits);
        LogitsFunction whole = (ids, lengths) -> Objects.requireNonNull(
                engine.outputs(texts.inputs(ids, lengths), List.of(logits)).get(logits));
        String ids = inputs.stream()
                .filter(name -> SequenceFeature.ofInput(name, inputs.size() == 1) == SequenceFeature.INPUT_IDS)
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("the output `" + logits
                        + "` does not depend on token ids: it reads the placeholders " + inputs
                        + ", expected one named input_ids"));
        DecodingSession session = DecodingSession.sharing(graph, ids, logits, options, copies);
        return new CachedLogits(session, whole, texts::inputs, Capacities.upTo(longest));
    }

    @Override
    public void close() {
        open.values().forEach(CachedLogits::close);
        open.clear();
    }
}
