package dev.samediff.samples.serve;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.predict.TextCompleter;
import dev.samediff.adapters.text.batch.PromptTemplate;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationListener;
import dev.samediff.adapters.text.generation.GenerationPlan;
import java.util.List;
import java.util.Optional;

/**
 * The base model or one of its adapters, as it is asked: texts become prompts as they did in the training.
 *
 * @param name by which it is asked for
 * @param completer writes
 * @param texts what goes in front of texts
 * @param words words around texts, if it was trained with some
 * @param conversation how conversations become text, if it can have them
 */
public record ServedModel(
        String name,
        TextCompleter completer,
        SequenceEncoder texts,
        Optional<PromptTemplate> words,
        Optional<Conversation> conversation) {
    /**
     * How conversations become text.
     *
     * @param template writes the turns
     * @param encoder what goes in front of that
     */
    public record Conversation(ChatTemplate template, SequenceEncoder encoder) {}

    /**
     * What a text is written after.
     *
     * @param text all of it
     * @param encoder makes tokens of it
     * @param tokens how many
     */
    public record Prompt(String text, SequenceEncoder encoder, int tokens) {
        private static Prompt of(String text, SequenceEncoder encoder) {
            int tokens = encoder.framing().begin(encoder.tokenizer().encode(text)).length;
            return new Prompt(text, encoder, tokens);
        }

        /** Returns how many tokens can follow; 0 and less: none. */
        public int room() {
            return encoder.maxLength() - tokens;
        }
    }

    /**
     * Returns the prompt of a text.
     *
     * @param raw whether it is taken as it is, without the words of the training
     */
    public Prompt prompt(String text, boolean raw) {
        String whole = raw ? text : words.map(around -> around.apply(text)).orElse(text);
        return Prompt.of(whole, texts);
    }

    /**
     * Returns the prompt of a conversation, whose next turn is the model's.
     *
     * @throws InvalidInputException if there is no chat template, or it refuses the conversation
     */
    public Prompt prompt(List<ChatMessage> messages) {
        Conversation turns = conversation.orElseThrow(() -> new InvalidInputException("`" + name
                + "` has no chat template: its tokenizer has none, and it was not trained on conversations. Name one with"
                + " --chat-template (a file, or chatml), or ask for completions"));
        return Prompt.of(turns.template().render(messages, true), turns.encoder());
    }

    /**
     * Writes on.
     *
     * @param prompts what was asked, all by the same encoder
     * @param plan how
     * @param listener is told the pieces
     */
    public List<Generation> write(List<Prompt> prompts, GenerationPlan plan, GenerationListener listener) {
        return completer
                .withEncoder(prompts.get(0).encoder())
                .withPlan(plan)
                .tellingTo(listener)
                .predict(prompts.stream().map(Prompt::text).toList());
    }
}
