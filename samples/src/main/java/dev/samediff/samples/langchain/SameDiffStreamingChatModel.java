package dev.samediff.samples.langchain;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.WritingDefaults;

/** The same as {@link SameDiffChatModel}, telling pieces as they are written, in the caller's thread. */
public final class SameDiffStreamingChatModel implements StreamingChatModel {
    private final ChatWriting writing;

    /** Makes one, see {@link SameDiffChatModel}. */
    public SameDiffStreamingChatModel(ServedModels models, String name, WritingDefaults usual) {
        this.writing = new ChatWriting(models, name, usual);
    }

    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        ChatResponse whole;
        try {
            whole = writing.answer(request, (prompt, piece) -> {
                handler.onPartialResponse(piece);
                return true;
            });
        } catch (RuntimeException e) {
            handler.onError(e);
            return;
        }
        handler.onCompleteResponse(whole);
    }
}
