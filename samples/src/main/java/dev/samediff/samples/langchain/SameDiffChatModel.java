package dev.samediff.samples.langchain;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.WritingDefaults;

/** A base model or one of its adapters as LangChain4j's {@code ChatModel}. Thread-safe; the models are closed by who opened them. */
public final class SameDiffChatModel implements ChatModel {
    private final ChatWriting writing;

    /**
     * Makes one.
     *
     * @param models who answers
     * @param name which of them, if a request names none by {@code modelName}
     * @param usual what holds for parameters that a request leaves out
     */
    public SameDiffChatModel(ServedModels models, String name, WritingDefaults usual) {
        this.writing = new ChatWriting(models, name, usual);
    }

    @Override
    public ChatResponse doChat(ChatRequest request) {
        return writing.answer(request, (prompt, piece) -> true);
    }
}
