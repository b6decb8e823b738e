package dev.samediff.adapters.train.metric;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Entities in tags, by the rules of conlleval, which seqeval has: B begins one, I goes on with one of its type, and begins one where
 * there is none.
 */
final class Entities implements Metric.Accumulator {
    private final List<Tag> tags;
    private long wanted;
    private long found;
    private long met;

    Entities(List<Tag> tags) {
        this.tags = tags;
    }

    /**
     * A tag.
     *
     * @param prefix O, B or I
     * @param type the entity's type; empty for O
     */
    record Tag(char prefix, String type) {
        static Tag of(String name) {
            if (name.equals("O")) {
                return new Tag('O', "");
            }
            if (name.length() > 2 && (name.startsWith("B-") || name.startsWith("I-"))) {
                return new Tag(name.charAt(0), name.substring(2));
            }
            throw new InvalidInputException("the tag `" + name + "` is not of the form IOB2: O, B-TYPE or I-TYPE");
        }
    }

    /** An entity of a text, from a place to another. */
    private record Entity(int row, String type, int first, int last) {}

    @Override
    public void add(Metric.Batch batch) {
        Items items = Items.of(batch, "entity_f1");
        List<Tag> right = new ArrayList<>();
        List<Tag> guessed = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            right.add(tag(items.labels()[i]));
            guessed.add(tag(items.predicted(i)));
        }
        Set<Entity> ofLabels = entities(right, items.rows());
        Set<Entity> ofScores = entities(guessed, items.rows());
        wanted += ofLabels.size();
        found += ofScores.size();
        ofScores.retainAll(ofLabels);
        met += ofScores.size();
    }

    private Tag tag(int index) {
        if (index < 0 || index >= tags.size()) {
            throw new InvalidInputException("the metric entity_f1 has " + tags.size() + " tags, there is a class "
                    + index + "; give the names of all tags in the order of the classes");
        }
        return tags.get(index);
    }

    private static Set<Entity> entities(List<Tag> tags, int... rows) {
        Set<Entity> entities = new HashSet<>();
        int first = -1;
        for (int i = 0; i <= tags.size(); i++) {
            boolean here = i < tags.size();
            boolean sameText = i > 0 && here && rows[i] == rows[i - 1];
            Tag before = i > 0 ? tags.get(i - 1) : new Tag('O', "");
            Tag tag = here ? tags.get(i) : new Tag('O', "");
            boolean goesOn = sameText
                    && before.prefix() != 'O'
                    && tag.prefix() == 'I'
                    && before.type().equals(tag.type());
            if (first >= 0 && !goesOn) {
                entities.add(new Entity(rows[first], before.type(), first, i - 1));
                first = -1;
            }
            if (tag.prefix() != 'O' && !goesOn) {
                first = i;
            }
        }
        return entities;
    }

    @Override
    public double value(double loss) {
        return wanted + found == 0 ? Double.NaN : 2.0 * met / (wanted + found);
    }
}
