package dev.samediff.adapters.text.jsonl;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.chat.Rendered;
import dev.samediff.adapters.text.chat.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Conversations as what is learned, by a template: only the assistant's turns count. */
public final class ChatExamples {
    private ChatExamples() {}

    /**
     * Each conversation as one text, of which all answers are learned: what stands between {@code {% generation %}} and {@code
     * {% endgeneration %}}, if the template says so, as Hugging Face's {@code assistant_only_loss} takes it; otherwise what the template adds for
     * each answer behind the text that opens it. A template that writes earlier turns differently once others follow (as Qwen 3 leaves
     * out what was thought) gives no such text: then each answer is an example of its own, as by {@link #of}.
     *
     * @throws InvalidInputException if the template refuses a conversation, or writes an answer differently from how it opens one
     */
    public static List<Learnable> whole(List<List<ChatMessage>> conversations, ChatTemplate template) {
        List<Learnable> all = new ArrayList<>();
        for (int i = 0; i < conversations.size(); i++) {
            all.addAll(whole(conversations.get(i), template, i));
        }
        return all;
    }

    /**
     * What is learned of one conversation, as {@link #whole(List, ChatTemplate)} has it of many.
     *
     * @param number names the conversation in messages, from 0
     * @throws InvalidInputException if the template refuses it, or writes an answer differently from how it opens one
     */
    public static List<Learnable> whole(List<ChatMessage> conversation, ChatTemplate template, int number) {
        List<ChatMessage> messages = toLastAnswer(conversation);
        if (messages.isEmpty()) {
            return List.of();
        }
        Rendered rendered = template.rendered(messages, false);
        List<Turn> turns = rendered.generated().isEmpty() ? turns(messages, template, number) : List.of();
        Optional<List<Span>> learned =
                turns.isEmpty() ? Optional.of(rendered.generated()) : spans(turns, rendered.text());
        if (learned.isPresent() && !learned.get().isEmpty()) {
            return List.of(new MaskedText(rendered.text(), learned.get()));
        }
        return turns.stream().<Learnable>map(Turn::example).toList();
    }

    /**
     * Each turn of the assistant as one example: its prompt is all before it as the template opens an answer, its response what the template
     * writes for it, exactly as it is asked for when the model is used.
     *
     * @throws InvalidInputException if the template refuses one, or writes an answer differently from how it opens one
     */
    public static List<TextExample> of(List<List<ChatMessage>> conversations, ChatTemplate template) {
        List<TextExample> examples = new ArrayList<>();
        for (int i = 0; i < conversations.size(); i++) {
            examples.addAll(of(conversations.get(i), template, i));
        }
        return examples;
    }

    /**
     * Each turn of the assistant in one conversation, as {@link #of(List, ChatTemplate)} has it of many.
     *
     * @param number names the conversation in messages, from 0
     * @throws InvalidInputException if the template refuses it, or writes an answer differently from how it opens one
     */
    public static List<TextExample> of(List<ChatMessage> conversation, ChatTemplate template, int number) {
        return turns(conversation, template, number).stream().map(Turn::example).toList();
    }

    /** Nothing is learned from what stands behind the last answer, and a template might refuse it. */
    private static List<ChatMessage> toLastAnswer(List<ChatMessage> messages) {
        int end = messages.size();
        while (end > 0 && !messages.get(end - 1).isAssistant()) {
            end--;
        }
        return messages.subList(0, end);
    }

    /**
     * A turn of the assistant.
     *
     * @param prompt all before it, with what opens an answer
     * @param response what the template writes for it
     */
    private record Turn(String prompt, String response) {
        TextExample example() {
            return new TextExample(prompt, response);
        }
    }

    /** Where the answers stand in the text of all turns; empty if one of them is written differently there. */
    private static Optional<List<Span>> spans(List<Turn> turns, String all) {
        List<Span> spans = new ArrayList<>();
        for (Turn turn : turns) {
            if (!all.startsWith(turn.prompt())
                    || !all.startsWith(turn.response(), turn.prompt().length())) {
                return Optional.empty();
            }
            int from = turn.prompt().length();
            spans.add(new Span(from, from + turn.response().length()));
        }
        return Optional.of(spans);
    }

    private static List<Turn> turns(List<ChatMessage> messages, ChatTemplate template, int number) {
        List<Turn> turns = new ArrayList<>();
        for (int turn = 0; turn < messages.size(); turn++) {
            if (messages.get(turn).isAssistant()) {
                turns.add(turn(messages.subList(0, turn + 1), template, number));
            }
        }
        return turns;
    }

    private static Turn turn(List<ChatMessage> messages, ChatTemplate template, int number) {
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
        return new Turn(prompt, response);
    }
}
