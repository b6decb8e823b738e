package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.Sampling;
import dev.samediff.samples.serve.ServedModel;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.WritingDefaults;
import java.util.List;
import java.util.Optional;

/**
 * The fields that all requests for text have: OpenAI's, and those that servers of open models add (top_k, min_p, repetition_penalty).
 *
 * @param usual what holds for what it leaves out
 * @param sampling how tokens are chosen
 * @param maxTokens most tokens, if it says so
 * @param seed seed of the draws, if it says so
 * @param stops where texts end
 * @param stream whether the text is sent as it is written
 * @param usage whether the last event counts tokens
 */
record WritingFields(
        WritingDefaults usual,
        Sampling sampling,
        Optional<Integer> maxTokens,
        Optional<Long> seed,
        List<String> stops,
        boolean stream,
        boolean usage) {
    private static final int MOST_STOPS = 16;
    private static final double HOTTEST = 100;

    /**
     * Reads them.
     *
     * @param fields the request
     * @param usual what holds for fields that it leaves out
     * @throws ApiException if one cannot be used
     */
    static WritingFields of(Fields fields, WritingDefaults usual) {
        double temperature =
                fields.number("temperature", 0, HOTTEST).orElse(usual.sampling().temperature());
        int topK = fields.whole("top_k", -1, Integer.MAX_VALUE)
                .map(k -> Math.max(0, k))
                .orElse(usual.sampling().topK());
        double topP = fields.number("top_p", 0, 1).orElse(usual.sampling().topP());
        double minP = fields.number("min_p", 0, 1).orElse(usual.sampling().minP());
        double penalty = fields.number("repetition_penalty", Double.MIN_NORMAL, HOTTEST)
                .orElse(usual.sampling().repetitionPenalty());
        if (topP == 0) { // the fewest tokens that reach nothing are one
            topK = 1;
            topP = 1;
        }
        boolean draws =
                temperature > 0; // clients send their cuts along with a temperature of 0, where they change nothing
        List<String> stops = fields.texts("stop");
        if (stops.size() > MOST_STOPS) {
            throw ApiException.of(
                    "stop", "stop has " + stops.size() + " texts; at most " + MOST_STOPS + " are possible");
        }
        fields.only("n", IntNode.valueOf(1));
        fields.only("frequency_penalty", IntNode.valueOf(0));
        fields.only("presence_penalty", IntNode.valueOf(0));
        fields.any("logit_bias").filter(bias -> !bias.isEmpty()).ifPresent(bias -> {
            throw ApiException.of("logit_bias", "logit_bias is not possible here; leave it out");
        });
        boolean stream = fields.flag("stream");
        return new WritingFields(
                usual,
                new Sampling(temperature, draws ? topK : 0, draws ? topP : 1, draws ? minP : 0, penalty),
                maxTokens(fields).or(usual::maxTokens),
                fields.seed("seed"),
                stops.isEmpty() ? usual.stops() : stops,
                stream,
                usage(fields, stream));
    }

    private static Optional<Integer> maxTokens(Fields fields) {
        Optional<Integer> old = fields.whole("max_tokens", 1, Integer.MAX_VALUE);
        Optional<Integer> now = fields.whole("max_completion_tokens", 1, Integer.MAX_VALUE);
        if (old.isPresent() && now.isPresent() && !old.equals(now)) {
            throw ApiException.of(
                    "max_tokens",
                    "max_tokens is " + old.get() + ", max_completion_tokens " + now.get()
                            + "; they mean the same, give one");
        }
        return now.or(() -> old);
    }

    private static boolean usage(Fields fields, boolean stream) {
        Optional<JsonNode> options = fields.any("stream_options");
        if (options.isPresent() && !stream) {
            throw ApiException.of("stream_options", "stream_options is for \"stream\": true; leave it out");
        }
        if (options.isPresent() && !options.get().isObject()) {
            throw Fields.wrong("stream_options", options.get(), "an object");
        }
        return options.map(one -> one.path("include_usage").equals(BooleanNode.TRUE))
                .orElse(false);
    }

    /**
     * Returns how texts are written after prompts.
     *
     * @throws ApiException if one of them leaves no room
     */
    GenerationPlan plan(ServedModels models, List<ServedModel.Prompt> prompts, String field) {
        int room = 0;
        for (ServedModel.Prompt prompt : prompts) {
            if (prompt.room() < 1 || prompt.tokens() < 1) {
                throw ApiException.coded(
                        400,
                        field,
                        prompt.tokens() < 1 ? "empty_prompt" : "context_length_exceeded",
                        "the prompt has " + prompt.tokens() + " tokens; the model sees "
                                + prompt.encoder().maxLength()
                                + ", of which one or more must be left to write and one to begin with");
            }
            room = Math.max(room, prompt.room());
        }
        return usual.plan(models.plan(Math.min(room, maxTokens.orElse(room))), sampling, seed, stops);
    }
}
