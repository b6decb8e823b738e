package dev.samediff.samples.task;

import dev.samediff.adapters.text.jsonl.TextExample;
import java.util.List;

/**
 * Examples that are never trained on.
 *
 * @param name a word or two for tables
 * @param examples prompts and expected responses
 * @param exactMatch what counts as right
 */
public record EvaluationSet(String name, List<TextExample> examples, ExactMatch exactMatch) {
    public EvaluationSet {
        examples = List.copyOf(examples);
    }

    /** Returns whether there are prompts to answer; plain text has none. */
    public boolean hasPrompts() {
        return examples.stream().noneMatch(TextExample::isPlainText);
    }

    /** Returns this set with at most so many examples. */
    public EvaluationSet first(int count) {
        return new EvaluationSet(name, examples.subList(0, Math.min(count, examples.size())), exactMatch);
    }
}
