package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a file holds for a task.
 *
 * @param labels names of its classes; none where there are no classes
 * @param form its form, where a task knows several; empty otherwise
 * @param list the examples
 */
public record Examples<E>(List<String> labels, String form, List<E> list) {
    private static final int HELD_OUT = 20;

    public Examples {
        labels = List.copyOf(labels);
        list = List.copyOf(list);
    }

    /** Examples without classes, of the task's only form. */
    static <E> Examples<E> of(List<E> list) {
        return new Examples<>(List.of(), "", list);
    }

    /** Examples to learn from and to measure by. */
    public record Split<E>(Examples<E> train, List<E> evaluation) {}

    /** Holds every 20th example out, to measure by. */
    Split<E> split(Path file) {
        List<E> kept = new ArrayList<>();
        List<E> held = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            (i % HELD_OUT == HELD_OUT - 1 ? held : kept).add(list.get(i));
        }
        if (held.isEmpty()) {
            throw new InvalidInputException(file + " has " + kept.size() + " examples, too few to hold every "
                    + HELD_OUT + "th out; give examples to measure by with --eval");
        }
        return new Split<>(new Examples<>(labels, form, kept), held);
    }
}
