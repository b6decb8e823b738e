package dev.samediff.adapters.text.jsonl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Conversations, one a line: {@code {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}}, or in the older
 * form {@code {"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]}}. A content may be a list of parts, if all
 * are text.
 */
public final class ChatRows {
    private static final String MESSAGES = "messages";
    private static final String CONVERSATIONS = "conversations";
    private static final Map<String, String> ROLES = Map.of("human", "user", "gpt", ChatMessage.ASSISTANT);

    private ChatRows() {}

    /** A stop of reading after the first line. */
    private static final class Seen extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Seen() {
            super("", null, false, false);
        }
    }

    /** Whether the first line of a file is a conversation. */
    public static boolean areIn(Path file) {
        boolean[] chat = {false};
        try {
            JsonlLines.read(file, BrokenLines.REFUSE, object -> {
                chat[0] = object.has(MESSAGES) || object.has(CONVERSATIONS);
                throw new Seen();
            });
        } catch (Seen e) {
            return chat[0];
        }
        return false;
    }

    /**
     * Reads all conversations.
     *
     * @throws InvalidInputException that names file and line of what cannot be used
     */
    public static List<List<ChatMessage>> read(Path file) {
        List<List<ChatMessage>> all = new ArrayList<>();
        read(file, all::add);
        return all;
    }

    /**
     * Hands all conversations on, one by one.
     *
     * @param sink takes a conversation
     * @throws InvalidInputException that names file and line of what cannot be used
     */
    public static void read(Path file, Consumer<List<ChatMessage>> sink) {
        JsonlLines.read(file, BrokenLines.REFUSE, object -> sink.accept(conversation(object)));
    }

    private static List<ChatMessage> conversation(ObjectNode object) throws BrokenLine {
        String key = ExampleRows.key(object, MESSAGES, CONVERSATIONS);
        JsonNode list = object.get(key);
        if (!list.isArray() || list.isEmpty()) {
            throw new BrokenLine("`" + key + "` is " + JsonFiles.excerpt(list.toString())
                    + ", expected a list of {\"role\": ..., \"content\": ...}");
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode turn : list) {
            if (!(turn instanceof ObjectNode message)) {
                throw new BrokenLine("a turn is " + JsonFiles.excerpt(turn.toString())
                        + ", expected {\"role\": ..., \"content\": ...}");
            }
            String role = JsonlLines.string(message, ExampleRows.key(message, "role", "from"));
            messages.add(new ChatMessage(ROLES.getOrDefault(role, role), content(message)));
        }
        if (messages.stream().noneMatch(ChatMessage::isAssistant)) {
            throw new BrokenLine("has no turn of the assistant: there is nothing to learn");
        }
        return messages;
    }

    private static String content(ObjectNode message) throws BrokenLine {
        String key = ExampleRows.key(message, "content", "value");
        JsonNode content = message.get(key);
        if (!content.isArray()) {
            return JsonlLines.string(message, key);
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : content) {
            if (!part.path("type").asText().equals("text") || !part.path("text").isTextual()) {
                throw new BrokenLine("a part of `" + key + "` is " + JsonFiles.excerpt(part.toString())
                        + ", expected {\"type\": \"text\", \"text\": ...}: only text can be learned");
            }
            text.append(part.path("text").textValue());
        }
        return text.toString();
    }
}
