package dev.samediff.samples.classify;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.adapters.text.jsonl.LabelledTexts;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Texts with classes to learn from and to measure by.
 *
 * @param labels names of the classes
 * @param train texts to learn from
 * @param evaluation texts to measure by
 */
public record ClassifierData(List<String> labels, List<LabelledText> train, List<LabelledText> evaluation) {
    private static final int HELD_OUT = 20;

    /**
     * Reads files, see {@link LabelledTexts}.
     *
     * @param train texts to learn from
     * @param evaluation texts to measure by; if absent, every 20th of the others is held out
     */
    public static ClassifierData read(Path train, Optional<Path> evaluation) {
        LabelledTexts texts = LabelledTexts.read(train);
        if (texts.classes().size() < 2) {
            throw new InvalidInputException(
                    train + " has texts of one class only, `" + texts.classes().get(0) + "`; a classifier needs two");
        }
        if (evaluation.isPresent()) {
            return new ClassifierData(
                    texts.classes(),
                    texts.examples(),
                    LabelledTexts.read(evaluation.get(), texts.classes()).examples());
        }
        List<LabelledText> kept = new ArrayList<>();
        List<LabelledText> held = new ArrayList<>();
        for (int i = 0; i < texts.examples().size(); i++) {
            (i % HELD_OUT == HELD_OUT - 1 ? held : kept).add(texts.examples().get(i));
        }
        if (held.isEmpty()) {
            throw new InvalidInputException(train + " has " + kept.size() + " texts, too few to hold every " + HELD_OUT
                    + "th out; give texts to measure by with --eval");
        }
        return new ClassifierData(texts.classes(), kept, held);
    }

    /** Says what there is. */
    public String description() {
        return labels.size() + " classes, " + train.size() + " texts to learn from, " + evaluation.size()
                + " to measure by";
    }
}
