package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.ChatTemplate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** By which template conversations become text. */
final class ChatOptions {
    private static final String AUTO = "auto";
    private static final String CHATML = "chatml";

    @Option(
            names = "--chat-template",
            paramLabel = "TEMPLATE",
            defaultValue = AUTO,
            description =
                    "Template of conversations: auto (the tokenizer's), a file, the name of one of the tokenizer's, or"
                            + " chatml. Default: ${DEFAULT-VALUE}.")
    String template = AUTO;

    /** Returns whether a template was named. */
    boolean isGiven() {
        return !template.equals(AUTO);
    }

    /**
     * Returns the template.
     *
     * @param tokenizer the tokenizer's folder or file; null without one of its own
     * @throws InvalidInputException if there is none
     */
    ChatTemplate find(@Nullable Path tokenizer) {
        Map<String, String> tokens = tokenizer == null ? Map.of() : ChatTemplate.tokensOf(tokenizer);
        if (isGiven() && Files.isRegularFile(Path.of(template))) {
            return ChatTemplate.load(Path.of(template)).withTokens(tokens);
        }
        if (template.equals(CHATML)) {
            return ChatTemplate.chatMl().withTokens(tokens);
        }
        return own(tokenizer)
                .orElseThrow(() -> new InvalidInputException("the tokenizer has no chat template"
                        + (isGiven() ? " and there is no file " + template : "")
                        + "; give a file with one, or chatml, by --chat-template"));
    }

    /** Returns the template that is named, or the tokenizer's, if it has one. */
    Optional<ChatTemplate> findAny(@Nullable Path tokenizer) {
        return isGiven() ? Optional.of(find(tokenizer)) : own(tokenizer);
    }

    private Optional<ChatTemplate> own(@Nullable Path tokenizer) {
        return tokenizer == null
                ? Optional.empty()
                : ChatTemplate.ofTokenizer(tokenizer, isGiven() ? template : "default");
    }
}
