package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.Map;

/**
 * What a verification compares.
 *
 * @param tolerance the largest absolute difference that passes; larger for outputs of half precision
 * @param seed of the random inputs; equal seeds give equal inputs
 * @param shapes sets of sizes by the name of an open dimension in the file, or by batch, sequence and past; empty: three
 *     small ones, and one text of the longest length
 * @param longest most tokens of the longest text that is tried on its own; 0: none is
 * @param inDouble whether the graph is imported in double precision too, and compared side by side
 */
public record VerificationPlan(
        double tolerance, long seed, List<Map<String, Long>> shapes, long longest, boolean inDouble) {
    /** Checks the numbers. */
    public VerificationPlan {
        shapes = shapes.stream().map(Map::copyOf).toList();
        if (!(tolerance >= 0)) {
            throw new InvalidInputException("a tolerance of " + tolerance + " is not possible; give 0 or more");
        }
        if (longest < 0) {
            throw new InvalidInputException("a longest text of " + longest + " tokens is not possible; give 0 or more");
        }
        for (Map<String, Long> shape : shapes) {
            shape.forEach((name, size) -> {
                if (size < 0 || (size == 0 && !name.equals("past"))) {
                    throw new InvalidInputException(name + " = " + size + " is not possible; give 1 or more");
                }
            });
        }
    }

    /** Three small sizes in single precision. */
    public static VerificationPlan quick(double tolerance, long seed) {
        return new VerificationPlan(tolerance, seed, List.of(), 0, false);
    }

    /** Three small sizes and the longest text of up to so many tokens, in single and in double precision. */
    public static VerificationPlan thorough(double tolerance, long seed, long longest) {
        return new VerificationPlan(tolerance, seed, List.of(), longest, true);
    }
}
