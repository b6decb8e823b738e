package dev.samediff.samples.langchain;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationListener;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.Sampling;
import dev.samediff.samples.serve.ServedModel;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.WritingDefaults;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Answers LangChain4j's requests.
 *
 * @param models who answers
 * @param name which of them, if a request names none
 * @param usual what holds for parameters that a request leaves out
 */
record ChatWriting(ServedModels models, String name, WritingDefaults usual) {
    ChatWriting {
        if (models.find(name).isEmpty()) {
            throw new InvalidInputException("there is no model `" + name + "`; there are "
                    + models.all().stream().map(ServedModel::name).toList());
        }
    }

    /**
     * Answers.
     *
     * @throws UnsupportedFeatureException if the request asks for what these models cannot do
     * @throws InvalidRequestException if it cannot be answered
     */
    ChatResponse answer(ChatRequest request, GenerationListener listener) {
        refuse(request);
        try {
            String asked = request.modelName() == null ? name : request.modelName();
            ServedModel model = models.find(asked)
                    .orElseThrow(() -> new InvalidInputException("there is no model `" + asked + "`; there are "
                            + models.all().stream().map(ServedModel::name).toList()));
            ServedModel.Prompt prompt = model.prompt(
                    request.messages().stream().map(ChatWriting::message).toList());
            if (prompt.room() < 1) {
                throw new InvalidInputException("the conversation has " + prompt.tokens() + " tokens; the model sees "
                        + prompt.encoder().maxLength() + ", of which one or more must be left to write");
            }
            Generation text = model.write(List.of(prompt), plan(request, prompt), listener)
                    .get(0);
            int written = text.ids().length;
            return ChatResponse.builder()
                    .aiMessage(AiMessage.from(text.text()))
                    .modelName(model.name())
                    .tokenUsage(new TokenUsage(prompt.tokens(), written))
                    .finishReason(
                            switch (text.end()) {
                                case EOS, STOP_STRING -> FinishReason.STOP;
                                case MAX_NEW_TOKENS, CONTEXT -> FinishReason.LENGTH;
                                case CANCELLED -> FinishReason.OTHER;
                            })
                    .build();
        } catch (InvalidInputException refused) {
            throw new InvalidRequestException(refused.getMessage(), refused);
        }
    }

    private GenerationPlan plan(ChatRequest request, ServedModel.Prompt prompt) {
        Sampling base = usual.sampling();
        double temperature = or(request.temperature(), base.temperature());
        boolean draws = temperature > 0;
        Sampling sampling = new Sampling(
                temperature,
                draws ? or(request.topK(), base.topK()) : 0,
                draws ? or(request.topP(), base.topP()) : 1,
                draws ? base.minP() : 0,
                base.repetitionPenalty());
        int room = prompt.room();
        int most = Optional.ofNullable(request.maxOutputTokens())
                .or(usual::maxTokens)
                .orElse(room);
        List<String> stops = request.stopSequences();
        return usual.plan(
                models.plan(Math.min(room, most)),
                sampling,
                Optional.empty(),
                stops == null || stops.isEmpty() ? usual.stops() : stops);
    }

    private static <T> T or(@Nullable T value, T usual) {
        return value == null ? usual : value;
    }

    private static void refuse(ChatRequest request) {
        refuse(
                request.toolSpecifications() != null
                        && !request.toolSpecifications().isEmpty(),
                "tools");
        refuse(
                request.responseFormat() != null && request.responseFormat().type() != ResponseFormatType.TEXT,
                "a response format other than text");
        refuse(request.frequencyPenalty() != null && request.frequencyPenalty() != 0, "a frequency penalty");
        refuse(request.presencePenalty() != null && request.presencePenalty() != 0, "a presence penalty");
    }

    private static void refuse(boolean asked, String feature) {
        if (asked) {
            throw new UnsupportedFeatureException(
                    "this model has no part for " + feature + "; leave it out of the request");
        }
    }

    private static ChatMessage message(dev.langchain4j.data.message.ChatMessage message) {
        if (message instanceof SystemMessage system) {
            return ChatMessage.system(system.text());
        }
        if (message instanceof AiMessage said && !said.hasToolExecutionRequests()) {
            return ChatMessage.assistant(said.text());
        }
        if (message instanceof UserMessage user) {
            StringBuilder text = new StringBuilder();
            for (Content content : user.contents()) {
                if (!(content instanceof TextContent part)) {
                    throw new UnsupportedFeatureException("this model reads text only, not "
                            + content.type().toString().toLowerCase(java.util.Locale.ROOT));
                }
                text.append(part.text());
            }
            return ChatMessage.user(text.toString());
        }
        throw new UnsupportedFeatureException(
                "this model reads messages of the system, the user and itself, without tools");
    }
}
