package dev.samediff.importer.huggingface.family;

import static dev.samediff.importer.huggingface.GraphMessage.integer;

import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import java.util.List;
import java.util.Optional;

/**
 * Rotary positions (Su et al. 2021), halves of a head turned together, with the scalings that configurations name: linear, llama3 and yarn
 * (Peng et al. 2023).
 *
 * @param width numbers in a head; those beyond the pairs that are turned stay
 * @param frequencies angle per position of each pair of numbers
 * @param attention factor of cosine and sine, 1 but for yarn
 */
record Rotary(int width, float[] frequencies, double attention) {
    /**
     * Reads {@code rope_theta} and {@code rope_scaling}, or {@code rope_parameters} of newer files.
     *
     * @param width numbers in a head
     */
    static Rotary of(ModelConfig config, int width) {
        if (config.has("partial_rotary_factor")) {
            config.requireOnly("partial_rotary_factor", "1.0", "1.0");
        }
        return partial(config, width, 1, 10000);
    }

    /**
     * As {@link #of}, for a part of a head.
     *
     * @param head numbers in a head
     * @param share how much of it is turned, the first numbers
     * @param base {@code rope_theta} where the file has none
     */
    static Rotary partial(ModelConfig config, int head, double share, double base) {
        int width = (int) (head * share);
        if (width % 2 != 0 || width == 0 || width > head) {
            throw config.refused(
                    "head_dim",
                    "is " + head + ", of which " + width + " numbers are turned",
                    "an even number of them, which rotary positions need");
        }
        Optional<ModelConfig> parameters = config.object("rope_parameters");
        Optional<ModelConfig> scaling = parameters.isPresent() ? parameters : config.object("rope_scaling");
        double theta = parameters.isPresent()
                ? parameters.get().number("rope_theta", base)
                : config.number("rope_theta", base);
        double[] plain = new double[width / 2];
        for (int i = 0; i < plain.length; i++) {
            plain[i] = 1 / Math.pow(theta, 2.0 * i / width);
        }
        if (scaling.isEmpty()) {
            return new Rotary(head, floats(plain), 1);
        }
        ModelConfig given = scaling.get();
        String type = given.text(given.has("rope_type") ? "rope_type" : "type", "default");
        return switch (type) {
            case "default" -> new Rotary(head, floats(plain), 1);
            case "linear" -> new Rotary(head, floats(linear(plain, required(given, "factor"))), 1);
            case "llama3" -> new Rotary(head, floats(llama3(plain, given)), 1);
            case "yarn" -> yarn(plain, given, config, theta, head);
            default ->
                throw given.refused(
                        "rope_type", "is `" + type + "`", "default, linear, llama3 or yarn; export the model to ONNX");
        };
    }

    private static double required(ModelConfig given, String field) {
        if (!given.has(field)) {
            throw given.refused(field, "is missing", "a number above 0");
        }
        return given.number(field, 1);
    }

    private static double[] linear(double[] plain, double factor) {
        double[] scaled = plain.clone();
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] /= factor;
        }
        return scaled;
    }

    /** Long waves are slowed down, short ones stay, those between are mixed. */
    private static double[] llama3(double[] plain, ModelConfig given) {
        double factor = required(given, "factor");
        double low = required(given, "low_freq_factor");
        double high = required(given, "high_freq_factor");
        double original = required(given, "original_max_position_embeddings");
        double[] scaled = plain.clone();
        for (int i = 0; i < scaled.length; i++) {
            double turns = original * plain[i] / (2 * Math.PI);
            double smooth = Math.min(1, Math.max(0, (turns - low) / (high - low)));
            scaled[i] = (1 - smooth) * plain[i] / factor + smooth * plain[i];
        }
        return scaled;
    }

    private static Rotary yarn(double[] plain, ModelConfig given, ModelConfig config, double theta, int head) {
        int width = 2 * plain.length;
        for (String field : List.of("mscale", "mscale_all_dim")) {
            if (given.has(field)) {
                throw given.refused(field, "is given", "yarn without it; export the model to ONNX");
            }
        }
        double factor = required(given, "factor");
        double original =
                given.number("original_max_position_embeddings", config.number("max_position_embeddings", 2048));
        double attention = given.number("attention_factor", factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1);
        boolean whole = given.flag("truncate", true);
        double low = dimension(given.number("beta_fast", 32), width, theta, original);
        double high = dimension(given.number("beta_slow", 1), width, theta, original);
        low = Math.max(0, whole ? Math.floor(low) : low);
        high = Math.min(width - 1, whole ? Math.ceil(high) : high);
        double[] scaled = plain.clone();
        for (int i = 0; i < scaled.length; i++) {
            double ramp = Math.min(1, Math.max(0, (i - low) / (high == low ? 0.001 : high - low)));
            scaled[i] = plain[i] / factor * ramp + plain[i] * (1 - ramp);
        }
        return new Rotary(head, floats(scaled), attention);
    }

    /** The pair of numbers that turns so often within the original length. */
    private static double dimension(double turns, int width, double theta, double original) {
        return width * Math.log(original / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    /**
     * Cosine and sine of all positions, [batch,1,sequence,turned] each.
     *
     * @param turned numbers of a head that are turned
     * @param rest numbers of a head that stay
     */
    record Angles(String cosine, String sine, int turned, int rest) {
        /** Turns [batch,heads,sequence,width]. */
        String turn(GraphMessage graph, String x) {
            if (rest > 0) {
                List<String> parts = graph.splitAt(x, turned, rest);
                return graph.node("Concat", List.of(integer("axis", -1)), whole(graph, parts.get(0)), parts.get(1));
            }
            return whole(graph, x);
        }

        private String whole(GraphMessage graph, String x) {
            List<String> halves = graph.split(x, 2);
            String turned =
                    graph.node("Concat", List.of(integer("axis", -1)), graph.node("Neg", halves.get(1)), halves.get(0));
            return graph.node("Add", graph.node("Mul", x, cosine), graph.node("Mul", turned, sine));
        }
    }

    /** Adds the angles of positions [batch,sequence]. */
    Angles angles(GraphMessage graph, String positions) {
        graph.in("rotary_emb");
        String real = graph.node("Cast", List.of(integer("to", onnx.Onnx.TensorProto.DataType.FLOAT_VALUE)), positions);
        String angles = graph.node("Mul", graph.node("Unsqueeze", real, graph.integers(2)), graph.numbers(frequencies));
        String both = graph.node("Concat", List.of(integer("axis", -1)), angles, angles);
        int turned = 2 * frequencies.length;
        return new Angles(component(graph, "Cos", both), component(graph, "Sin", both), turned, width - turned);
    }

    private String component(GraphMessage graph, String operator, String angles) {
        String value = graph.node(operator, angles);
        String scaled = attention == 1 ? value : graph.node("Mul", value, graph.number(attention));
        return graph.node("Unsqueeze", scaled, graph.integers(1));
    }
}
