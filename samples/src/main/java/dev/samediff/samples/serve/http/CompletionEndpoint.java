package dev.samediff.samples.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.samples.serve.ServedModel;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.WritingDefaults;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;

/**
 * {@code POST /v1/completions}: a text for each prompt. The words of an adapter's training are put around prompts, unless {@code raw} is true.
 *
 * @param models who answers
 * @param usual what holds for fields that are left out
 * @param writer writes
 */
record CompletionEndpoint(ServedModels models, WritingDefaults usual, TextWriter writer) implements Endpoint {
    private static final String PROMPT = "prompt";
    private static final String KIND = "text_completion";

    @Override
    public void answer(JsonNode body, Reply reply) throws IOException {
        Fields fields = new Fields(body);
        ServedModel model = Models.asked(fields, models);
        List<String> texts = fields.texts(PROMPT);
        if (texts.isEmpty()) {
            throw ApiException.of(PROMPT, "there is no prompt; a text or a list of texts is needed");
        }
        boolean raw = fields.flag("raw");
        WritingFields asked = WritingFields.of(fields, usual);
        fields.only("best_of", IntNode.valueOf(1));
        fields.only("echo", BooleanNode.FALSE);
        fields.only("suffix", TextNode.valueOf(""));
        fields.only("logprobs", IntNode.valueOf(0));
        fields.requireRead();
        List<ServedModel.Prompt> prompts =
                texts.stream().map(text -> model.prompt(text, raw)).toList();
        GenerationPlan plan = asked.plan(models, prompts, PROMPT);
        Written frame = Written.of("cmpl-", KIND, model);
        if (!asked.stream()) {
            List<Generation> written = writer.write(model, prompts, plan, (prompt, piece) -> {});
            ObjectNode answer = frame.with(IntStream.range(0, written.size())
                    .mapToObj(i -> Written.ended(choice(i, written.get(i).text()), written.get(i)))
                    .toArray(ObjectNode[]::new));
            answer.set("usage", Written.usage(prompts, written));
            reply.send(200, answer);
            return;
        }
        List<Generation> written =
                writer.write(model, prompts, plan, (prompt, piece) -> reply.event(frame.with(choice(prompt, piece))));
        for (int i = 0; i < written.size(); i++) {
            reply.event(frame.with(Written.ended(choice(i, ""), written.get(i))));
        }
        if (asked.usage()) {
            ObjectNode last = frame.with();
            last.set("usage", Written.usage(prompts, written));
            reply.event(last);
        }
        reply.end();
    }

    private static ObjectNode choice(int index, String text) {
        return Written.choice(index).put("text", text);
    }
}
