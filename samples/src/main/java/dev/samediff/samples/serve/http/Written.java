package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.samples.serve.ServedModel;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;

/**
 * The frame of an answer with texts.
 *
 * @param id its name, unlike all others
 * @param kind what it is called: {@code object} in JSON
 * @param created seconds since 1970
 * @param model the model's name
 */
record Written(String id, String kind, long created, String model) {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int ID_BYTES = 12;

    static Written of(String prefix, String kind, ServedModel model) {
        byte[] random = new byte[ID_BYTES];
        RANDOM.nextBytes(random);
        return new Written(
                prefix + HexFormat.of().formatHex(random), kind, Instant.now().getEpochSecond(), model.name());
    }

    /** Returns the same under another kind. */
    Written as(String other) {
        return new Written(id, other, created, model);
    }

    /** Returns an object with these choices, or none. */
    ObjectNode with(ObjectNode... choices) {
        ObjectNode json = Bodies.object()
                .put("id", id)
                .put("object", kind)
                .put("created", created)
                .put("model", model);
        ArrayNode list = json.putArray("choices");
        for (ObjectNode choice : choices) {
            list.add(choice);
        }
        return json;
    }

    /** Returns a choice; why it ended is null as long as it has not. */
    static ObjectNode choice(int index) {
        return Bodies.object().put("index", index).putNull("logprobs").putNull("finish_reason");
    }

    /** Says why a text ended, in the words of OpenAI's API. */
    static ObjectNode ended(ObjectNode choice, Generation text) {
        return choice.put(
                "finish_reason",
                switch (text.end()) {
                    case EOS, STOP_STRING, CANCELLED -> "stop";
                    case MAX_NEW_TOKENS, CONTEXT -> "length";
                });
    }

    /** Counts tokens. */
    static ObjectNode usage(List<ServedModel.Prompt> prompts, List<Generation> texts) {
        int asked = prompts.stream().mapToInt(ServedModel.Prompt::tokens).sum();
        int written = texts.stream().mapToInt(text -> text.ids().length).sum();
        return Bodies.object()
                .put("prompt_tokens", asked)
                .put("completion_tokens", written)
                .put("total_tokens", asked + written);
    }
}
