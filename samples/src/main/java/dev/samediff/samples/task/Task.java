package dev.samediff.samples.task;

import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.jsonl.ExampleSource;
import dev.samediff.adapters.text.jsonl.Learnable;
import java.util.List;
import java.util.Optional;

/**
 * A job for a language model.
 *
 * @param description one line for reports
 * @param train what is learned
 * @param evaluations what is measured before and after; the first is the one the training aims at
 * @param chat the template by which conversations became these examples, if they were conversations
 */
public record Task(
        String description, ExampleSource train, List<EvaluationSet> evaluations, Optional<ChatTemplate> chat) {
    public Task {
        evaluations = List.copyOf(evaluations);
        if (evaluations.isEmpty()) {
            throw new IllegalArgumentException("a task needs something to be measured by");
        }
    }

    /** A task of examples in memory that were no conversations. */
    public Task(String description, List<? extends Learnable> train, List<EvaluationSet> evaluations) {
        this(description, List.copyOf(train)::forEach, evaluations, Optional.empty());
    }

    /** Returns the evaluation set the training aims at. */
    public EvaluationSet target() {
        return evaluations.get(0);
    }
}
