package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.InvalidInputException;

/**
 * The lengths that caches are made for. They grow by a third or a half, so that a text of any length needs few plans, and no
 * cache is much longer than its texts.
 *
 * @param multiple every length is a multiple of this, except the longest
 * @param longest most tokens the model sees
 */
public record Capacities(int multiple, int longest) {
    public Capacities {
        if (multiple < 1 || longest < 2) {
            throw new InvalidInputException(
                    "the multiple " + multiple + " must be at least 1, the longest text " + longest + " at least 2");
        }
    }

    /** Returns the multiples 1, 2, 3, 4, 6, 8, 12, 16, ... of 64. */
    public static Capacities upTo(int longest) {
        return new Capacities(64, longest);
    }

    /** Returns the length of the cache for texts of so many tokens. */
    public int of(int tokens) {
        long capacity = multiple;
        long step = multiple;
        while (capacity < tokens) {
            if (capacity == 4 * step) {
                step *= 2;
            }
            capacity += step;
        }
        return (int) Math.min(longest, capacity);
    }
}
