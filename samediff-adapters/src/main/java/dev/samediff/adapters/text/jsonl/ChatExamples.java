package dev.samediff.adapters.text.jsonl;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.chat.ChatTemplate;
import java.util.ArrayList;
import java.util.List;

/**
 * Conversations as prompts and responses, by a template. Each turn of the assistant is one example: its prompt is all before it as the template
 * opens an answer, its response what the template writes for it. So only the assistant's turns are learned, exactly as they are asked for when
 * the model is used, whatever the template makes of earlier turns.
 */
public final class ChatExamples {
    private ChatExamples() {}

    /**
     * The examples of conversations.
     *
     * @throws InvalidInputException if the template refuses one, or writes an answer differently from how it opens one
     */
    public static List<TextExample> of(List<List<ChatMessage>> conversations, ChatTemplate template) {
        List<TextExample> examples = new ArrayList<>();
        for (int i = 0; i < conversations.size(); i++) {
            List<ChatMessage> messages = conversations.get(i);
            for (int turn = 0; turn < messages.size(); turn++) {
                if (messages.get(turn).isAssistant()) {
                    examples.add(example(messages.subList(0, turn + 1), template, i));
                }
            }
        }
        return examples;
    }

    private static TextExample example(List<ChatMessage> messages, ChatTemplate template, int number) {
        String prompt = template.render(messages.subList(0, messages.size() - 1), true);
        String all = template.render(messages, false);
        if (!all.startsWith(prompt)) {
            throw new InvalidInputException(
                    "conversation " + number + ": the chat template opens an answer with other text"
                            + " than it writes before one, so that what is learned would not be what is asked; use another"
                            + " template (--chat-template)");
        }
        // what stands behind the end of a turn belongs to the next one
        String response = all.substring(prompt.length()).stripTrailing();
        if (prompt.isEmpty() || response.isEmpty()) {
            throw new InvalidInputException("conversation " + number + ": the chat template writes "
                    + (prompt.isEmpty() ? "nothing before an answer" : "nothing of an answer")
                    + "; use another template");
        }
        return new TextExample(prompt, response);
    }
}
