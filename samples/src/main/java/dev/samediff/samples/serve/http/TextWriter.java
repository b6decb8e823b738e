package dev.samediff.samples.serve.http;

import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.samples.serve.ServedModel;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Writes in a thread of its own, so that a client who does not read keeps no worker of the model waiting; one who is gone ends the writing.
 *
 * @param threads where it writes
 */
record TextWriter(Executor threads) {
    /** Takes the next piece of a text. */
    @FunctionalInterface
    interface Sink {
        void take(int prompt, String piece) throws IOException;
    }

    private record Piece(int prompt, String text) {}

    /**
     * Writes.
     *
     * @param model writes
     * @param prompts what it was asked
     * @param plan how
     * @param sink takes the pieces, in the caller's thread
     * @return the texts
     * @throws IOException if the sink fails
     */
    List<Generation> write(ServedModel model, List<ServedModel.Prompt> prompts, GenerationPlan plan, Sink sink)
            throws IOException {
        BlockingQueue<Optional<Piece>> pieces = new LinkedBlockingQueue<>();
        AtomicBoolean gone = new AtomicBoolean();
        CompletableFuture<List<Generation>> texts = CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return model.write(prompts, plan, (prompt, piece) -> {
                            pieces.add(Optional.of(new Piece(prompt, piece)));
                            return !gone.get();
                        });
                    } finally {
                        pieces.add(Optional.empty());
                    }
                },
                threads);
        try {
            for (Optional<Piece> next = pieces.take(); next.isPresent(); next = pieces.take()) {
                sink.take(next.get().prompt(), next.get().text());
            }
            return texts.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a text was written", e);
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        } finally {
            gone.set(true);
        }
    }
}
