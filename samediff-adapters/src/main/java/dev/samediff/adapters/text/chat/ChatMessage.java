package dev.samediff.adapters.text.chat;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One turn of a conversation.
 *
 * @param role who speaks: {@code system}, {@code user}, {@code assistant}, or what else the template knows
 * @param content what is said
 */
public record ChatMessage(String role, String content) {
    /** The role whose turns are learned and written. */
    public static final String ASSISTANT = "assistant";

    /** What the user says. */
    public static ChatMessage user(String content) {
        return new ChatMessage("user", content);
    }

    /** What the model says. */
    public static ChatMessage assistant(String content) {
        return new ChatMessage(ASSISTANT, content);
    }

    /** What stands before a conversation. */
    public static ChatMessage system(String content) {
        return new ChatMessage("system", content);
    }

    /** Whether the model says it. */
    public boolean isAssistant() {
        return role.equals(ASSISTANT);
    }

    Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("role", role);
        values.put("content", content);
        return values;
    }
}
