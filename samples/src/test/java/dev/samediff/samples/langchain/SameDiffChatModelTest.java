package dev.samediff.samples.langchain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.samediff.samples.serve.BundledService;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.WritingDefaults;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SameDiffChatModelTest {
    private static final int TOKENS = 8;

    @TempDir
    static Path folder;

    private static ServedModels models;

    @BeforeAll
    static void open() throws IOException {
        models = BundledService.open(folder);
    }

    @AfterAll
    static void close() {
        models.close();
    }

    private static SameDiffChatModel model() {
        return new SameDiffChatModel(models, BundledService.BASE, WritingDefaults.greedy());
    }

    private static ChatRequest.Builder request() {
        return ChatRequest.builder()
                .messages(SystemMessage.from("Sums."), UserMessage.from("Tom has 7 pens."))
                .maxOutputTokens(TOKENS);
    }

    @Test
    void the_base_model_and_adapters_answer() {
        for (String name : List.of(BundledService.BASE, BundledService.ADAPTER)) {
            ChatResponse answer = model().chat(request().modelName(name).build());
            String expected = BundledService.written(name, "Sums.\nTom has 7 pens.\n", TOKENS);
            assertThat(answer.aiMessage().text()).isEqualTo(expected);
            assertThat(answer.modelName()).isEqualTo(name);
            assertThat(answer.tokenUsage().outputTokenCount()).isEqualTo(expected.length());
            assertThat(answer.finishReason())
                    .isEqualTo(expected.length() < TOKENS ? FinishReason.STOP : FinishReason.LENGTH);
        }
    }

    @Test
    void pieces_are_the_answer() {
        List<String> pieces = new ArrayList<>();
        List<ChatResponse> whole = new ArrayList<>();
        List<Throwable> errors = new ArrayList<>();
        StreamingChatResponseHandler handler = new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(String piece) {
                pieces.add(piece);
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                whole.add(response);
            }

            @Override
            public void onError(Throwable error) {
                errors.add(error);
            }
        };
        SameDiffStreamingChatModel streaming =
                new SameDiffStreamingChatModel(models, BundledService.ADAPTER, WritingDefaults.greedy());
        streaming.chat(request().build(), handler);
        assertThat(errors).isEmpty();
        assertThat(String.join("", pieces))
                .isEqualTo(whole.get(0).aiMessage().text())
                .isNotEmpty();
        streaming.chat(request().modelName("nobody").build(), handler);
        assertThat(errors).singleElement().isInstanceOf(InvalidRequestException.class);
    }

    @Test
    void what_the_models_cannot_do_is_said() {
        assertThatThrownBy(() -> model().chat(request()
                        .toolSpecifications(
                                ToolSpecification.builder().name("sum").build())
                        .build()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("tools");
        assertThatThrownBy(() -> model().chat(request().presencePenalty(0.5).build()))
                .hasMessageContaining("presence penalty");
        assertThatThrownBy(() -> model().chat(UserMessage.from(ImageContent.from("http://localhost/a.png"))))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("image");
        assertThatThrownBy(() -> model().chat("x".repeat(5000)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("the model sees");
        assertThatThrownBy(() -> new SameDiffChatModel(models, "nobody", WritingDefaults.greedy()))
                .hasMessageContaining("there are [base, other]");
    }
}
