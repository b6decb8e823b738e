package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.samples.serve.ServedModel;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.WritingDefaults;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code POST /v1/chat/completions}.
 *
 * @param models who answers
 * @param usual what holds for fields that are left out
 * @param writer writes
 */
record ChatEndpoint(ServedModels models, WritingDefaults usual, TextWriter writer) implements Endpoint {
    private static final String MESSAGES = "messages";
    private static final String CHUNK = "chat.completion.chunk";

    @Override
    public void answer(JsonNode body, Reply reply) throws IOException {
        Fields fields = new Fields(body);
        ServedModel model = Models.asked(fields, models);
        List<ChatMessage> messages = messages(fields);
        WritingFields asked = WritingFields.of(fields, usual);
        fields.only("logprobs", BooleanNode.FALSE);
        fields.any("response_format")
                .filter(format -> !format.path("type").asText().equals("text"))
                .ifPresent(format -> {
                    throw Fields.wrong("response_format", format, "{\"type\": \"text\"}: no other form is enforced");
                });
        for (String tools : List.of("tools", "functions")) {
            fields.any(tools).filter(list -> !list.isEmpty()).ifPresent(list -> {
                throw ApiException.of(tools, tools + " are not possible here; leave them out");
            });
        }
        fields.any("tool_choice")
                .filter(choice -> !choice.asText().equals("none"))
                .ifPresent(choice -> {
                    throw ApiException.of("tool_choice", "tools are not possible here; leave tool_choice out");
                });
        fields.requireRead();
        List<ServedModel.Prompt> prompts = List.of(model.prompt(messages));
        GenerationPlan plan = asked.plan(models, prompts, MESSAGES);
        Written frame = Written.of("chatcmpl-", "chat.completion", model);
        if (asked.stream()) {
            stream(model, prompts, plan, frame.as(CHUNK), asked.usage(), reply);
        } else {
            List<Generation> texts = writer.write(model, prompts, plan, (prompt, piece) -> {});
            ObjectNode choice = Written.ended(Written.choice(0), texts.get(0));
            choice.putObject("message")
                    .put("role", ChatMessage.ASSISTANT)
                    .put("content", texts.get(0).text());
            ObjectNode answer = frame.with(choice);
            answer.set("usage", Written.usage(prompts, texts));
            reply.send(200, answer);
        }
    }

    private void stream(
            ServedModel model,
            List<ServedModel.Prompt> prompts,
            GenerationPlan plan,
            Written frame,
            boolean usage,
            Reply reply)
            throws IOException {
        boolean[] begun = {false};
        List<Generation> texts = writer.write(model, prompts, plan, (prompt, piece) -> {
            begin(begun, frame, reply);
            reply.event(frame.with(delta(Bodies.object().put("content", piece))));
        });
        begin(begun, frame, reply);
        reply.event(frame.with(Written.ended(delta(Bodies.object()), texts.get(0))));
        if (usage) {
            ObjectNode last = frame.with();
            last.set("usage", Written.usage(prompts, texts));
            reply.event(last);
        }
        reply.end();
    }

    /** Says who speaks, once; not before there is something to say, as until then the answer can still be an error. */
    private static void begin(boolean[] begun, Written frame, Reply reply) throws IOException {
        if (!begun[0]) {
            begun[0] = true;
            reply.event(frame.with(
                    delta(Bodies.object().put("role", ChatMessage.ASSISTANT).put("content", ""))));
        }
    }

    private static ObjectNode delta(ObjectNode delta) {
        ObjectNode choice = Written.choice(0);
        choice.set("delta", delta);
        return choice;
    }

    private static List<ChatMessage> messages(Fields fields) {
        JsonNode list = fields.any(MESSAGES)
                .orElseThrow(() -> ApiException.of(MESSAGES, "there are no messages; a conversation is needed"));
        if (!list.isArray() || list.isEmpty()) {
            throw Fields.wrong(MESSAGES, list, "a list of {\"role\", \"content\"}");
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : list) {
            String field = MESSAGES + "[" + messages.size() + "]";
            JsonNode role = message.path("role");
            if (!role.isTextual() || message.hasNonNull("tool_calls")) {
                throw Fields.wrong(field, message, "{\"role\": a string, \"content\": a string}, without tools");
            }
            messages.add(new ChatMessage(role.textValue(), content(message.path("content"), field + ".content")));
        }
        return messages;
    }

    private static String content(JsonNode content, String field) {
        if (content.isTextual()) {
            return content.textValue();
        }
        if (!content.isArray() || content.isEmpty()) {
            throw Fields.wrong(field, content, "a string, or a list of {\"type\": \"text\", \"text\": a string}");
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : content) {
            if (!part.path("type").asText().equals("text") || !part.path("text").isTextual()) {
                throw Fields.wrong(field, part, "{\"type\": \"text\", \"text\": a string}; nothing else can be read");
            }
            text.append(part.path("text").textValue());
        }
        return text.toString();
    }
}
