package dev.samediff.samples.langchain;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.Response;
import dev.samediff.adapters.predict.Predictor;
import java.util.List;

/**
 * A {@code TextEmbedder} as LangChain4j's {@code EmbeddingModel}. Thread-safe; the pool is closed by who opened it.
 *
 * @param embedder gives vectors
 */
public record SameDiffEmbeddingModel(Predictor<String, float[]> embedder) implements EmbeddingModel {
    @Override
    public Response<List<Embedding>> embedAll(List<TextSegment> segments) {
        List<String> texts = segments.stream().map(TextSegment::text).toList();
        return Response.from(
                embedder.predict(texts).stream().map(Embedding::from).toList());
    }
}
