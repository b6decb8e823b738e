package dev.samediff.samples.intents;

import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.jsonl.LabelledTexts;
import java.util.List;
import java.util.stream.Stream;

/**
 * Sentences and what they ask for.
 *
 * @param name where they come from, for tables
 * @param classes names of the intents
 * @param train sentences to learn from
 * @param test sentences to measure by
 */
public record IntentData(String name, List<String> classes, List<LabelledText> train, List<LabelledText> test) {
    public IntentData {
        classes = List.copyOf(classes);
        train = List.copyOf(train);
        test = List.copyOf(test);
    }

    static IntentData of(String name, LabelledTexts train, LabelledTexts test) {
        return new IntentData(name, train.classes(), train.examples(), test.examples());
    }

    /** Returns how many intents are known before the adaptation: the first half. */
    public int known() {
        return classes.size() / 2;
    }

    /** Returns the sentences of the known intents, or of the new ones. */
    static List<LabelledText> half(List<LabelledText> texts, int known, boolean ofKnown) {
        Stream<LabelledText> half = texts.stream().filter(text -> text.label() < known == ofKnown);
        return half.toList();
    }
}
