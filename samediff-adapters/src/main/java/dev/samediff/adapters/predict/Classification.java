package dev.samediff.adapters.predict;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * The probabilities of the classes of one text.
 *
 * @param labels names of the classes
 * @param probabilities their probabilities: of classes that exclude each other they add up to 1, of others each is on its own
 */
public record Classification(List<String> labels, double[] probabilities) {
    /**
     * A class.
     *
     * @param label its name
     * @param index its number
     * @param probability its probability
     */
    public record Candidate(String label, int index, double probability) {}

    /** Returns the most probable class. */
    public Candidate best() {
        return ranked().get(0);
    }

    /** Returns the most probable class's name. */
    public String label() {
        return best().label();
    }

    /** Returns all classes, the most probable first. */
    public List<Candidate> ranked() {
        return IntStream.range(0, probabilities.length)
                .mapToObj(i -> new Candidate(labels.get(i), i, probabilities[i]))
                .sorted(Comparator.comparingDouble(Candidate::probability).reversed())
                .toList();
    }

    /** Returns the classes that are at least so probable, the most probable first: the labels of a text that may have several. */
    public List<Candidate> atLeast(double probability) {
        return ranked().stream()
                .filter(candidate -> candidate.probability() >= probability)
                .toList();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Classification that
                && labels.equals(that.labels)
                && Arrays.equals(probabilities, that.probabilities);
    }

    @Override
    public int hashCode() {
        return Objects.hash(labels, Arrays.hashCode(probabilities));
    }

    @Override
    public String toString() {
        Candidate best = best();
        return best.label() + " (" + best.probability() + ")";
    }
}
