package dev.samediff.importer.lowering;

import java.util.Map;
import java.util.TreeMap;

/** Why operators that are not translated are not, and what to do. */
public final class Refusals {
    private static final String UNKNOWN =
            "no translation of this operator exists; write it of operators that docs/import.md lists, or"
                    + " end the model before it";
    private static final String LOOP = "its number of turns is only known when the graph runs, and SameDiff cannot"
            + " differentiate it; export the model for a fixed number of steps, so that the exporter unrolls it";
    private static final String RANDOM = "it draws random numbers, which a trained model does not need; export it in"
            + " evaluation mode (model.eval())";
    private static final String GENERATION =
            "it is a whole search for text; export the decoder itself and generate with" + " this library";
    private static final String SEQUENCE =
            "it makes a list of tensors that is not taken apart at known places; export with plain tensors";
    private static final String PER_CHANNEL =
            "it has a scale per channel of activations, or a computed zero point (stored"
                    + " weights may have one per channel); adapt the float model that was quantised, and quantise the result";
    private static final String IMAGE =
            "it changes the size of images by interpolation; give images of the size the model"
                    + " is for, and export without interpolating positions";

    private static final Map<String, String> REASONS = new TreeMap<>(Map.ofEntries(
            Map.entry(
                    "If",
                    "its condition depends on data, or on sizes the file leaves open; export with these sizes fixed"),
            Map.entry("Loop", LOOP),
            Map.entry("Scan", LOOP),
            Map.entry(
                    "RNN",
                    "it is a recurrent layer; only transformers and what they are made of can be imported: export"
                            + " the part before or behind it alone"),
            Map.entry(
                    "LSTM",
                    "it is a recurrent layer; only transformers and what they are made of can be imported: export"
                            + " the part before or behind it alone"),
            Map.entry(
                    "GRU",
                    "it is a recurrent layer; only transformers and what they are made of can be imported: export"
                            + " the part before or behind it alone"),
            Map.entry("Resize", IMAGE),
            Map.entry("Upsample", IMAGE),
            Map.entry("GridSample", IMAGE),
            Map.entry("Bernoulli", RANDOM),
            Map.entry("Multinomial", RANDOM),
            Map.entry("RandomNormal", RANDOM),
            Map.entry("RandomNormalLike", RANDOM),
            Map.entry("RandomUniform", RANDOM),
            Map.entry("RandomUniformLike", RANDOM),
            Map.entry("SequenceAt", SEQUENCE),
            Map.entry("SequenceConstruct", SEQUENCE),
            Map.entry("SplitToSequence", SEQUENCE),
            Map.entry("ConcatFromSequence", SEQUENCE),
            Map.entry("QuantizeLinear", PER_CHANNEL),
            Map.entry("DequantizeLinear", PER_CHANNEL),
            Map.entry("com.microsoft:BeamSearch", GENERATION),
            Map.entry("com.microsoft:GreedySearch", GENERATION),
            Map.entry("com.microsoft:Sampling", GENERATION)));

    private Refusals() {}

    /** Returns the reason for an operator, with its domain in front unless it is ONNX's own. */
    public static String reason(String operator) {
        return REASONS.getOrDefault(operator, UNKNOWN);
    }

    /** Returns the operators for which there is a reason of their own. */
    public static Map<String, String> all() {
        return REASONS;
    }
}
