package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.DecodingSession;
import dev.samediff.adapters.graph.GraphOutputs;
import dev.samediff.adapters.graph.Names;
import dev.samediff.adapters.text.batch.BatchArrays;
import dev.samediff.adapters.text.batch.SequenceFeature;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A SameDiff graph as a {@link LogitsFunction}: fills the placeholders {@code input_ids}, {@code attention_mask}, {@code
 * position_ids} and {@code token_type_ids}, as far as the graph has them, with the data types they declare.
 */
public final class GraphLogits implements LogitsFunction {
    private final SameDiff graph;
    private final Map<String, SequenceFeature> features = new HashMap<>();
    private final String logits;

    /**
     * The graph as a language model.
     *
     * @param graph plain or adapted graph
     * @param inputs names of the placeholders to fill, such as an imported model's inputs; labels are not among them
     * @param logits name of the output {@code [batch, T, vocabulary]} or {@code [batch, vocabulary]}
     * @throws InvalidInputException if a name does not exist or no batch can fill it
     */
    public GraphLogits(SameDiff graph, List<String> inputs, String logits) {
        this.graph = graph;
        this.logits = existing(graph, logits, "outputs", GraphOutputs.of(graph));
        for (String input : inputs) {
            String name = existing(graph, input, "inputs", new TreeSet<>(graph.inputs()));
            features.put(name, SequenceFeature.ofInput(name, inputs.size() == 1));
        }
    }

    private static String existing(SameDiff graph, String name, String kind, Collection<String> those) {
        if (!graph.hasVariable(name)) {
            throw new InvalidInputException(
                    "the graph has no variable `" + name + "`; its " + kind + " are [" + Names.some(those) + "]");
        }
        return name;
    }

    @Override
    public INDArray logits(INDArray ids, int[] lengths) {
        return graph.outputSingle(inputs(ids, lengths), logits);
    }

    /** Opens a session that decodes the graph position by position. */
    DecodingSession session(EngineOptions options) {
        String ids = features.entrySet().stream()
                .filter(entry -> entry.getValue() == SequenceFeature.INPUT_IDS)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow(() -> new InvalidInputException(
                        "none of the inputs " + features.keySet() + " takes token ids; expected one named input_ids"));
        return new DecodingSession(graph, ids, logits, options);
    }

    /**
     * Returns the values of the placeholders.
     *
     * @param ids token ids {@code [batch, T]}, padded on the right
     * @param lengths real tokens of each row
     */
    public Map<String, INDArray> inputs(INDArray ids, int[] lengths) {
        Map<String, INDArray> placeholders = new HashMap<>();
        int width = (int) ids.size(1);
        features.forEach((name, feature) -> placeholders.put(
                name,
                feature == SequenceFeature.INPUT_IDS
                        ? ids.castTo(graph.getVariable(name).dataType())
                        : BatchArrays.feature(
                                feature,
                                graph.getVariable(name).dataType(),
                                new int[lengths.length][0],
                                lengths,
                                width,
                                0)));
        return placeholders;
    }
}
