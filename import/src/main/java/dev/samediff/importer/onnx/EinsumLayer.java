package dev.samediff.importer.onnx;

import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An Einstein sum that is a linear layer: of an activation and a stored tensor, whose letters are those that are summed
 * over, then those of the result ({@code abc,cde->abde}, {@code abcd,cde->abe}), or the other way round.
 *
 * @param x letters of the activation
 * @param weight letters of the weight
 * @param result letters of the result
 * @param summed letters that are summed over, in the order of the weight
 * @param made letters that the weight brings into the result, in its order
 * @param outFirst whether the weight has the letters of the result first
 */
public record EinsumLayer(String x, String weight, String result, String summed, String made, boolean outFirst) {
    /**
     * Returns the layer, if the node is one.
     *
     * @param node an Einsum
     * @param place which of its two inputs is the weight
     */
    public static Optional<EinsumLayer> of(OnnxNode node, int place) {
        String equation = node.text("equation", "").replace(" ", "");
        String[] sides = equation.split("->", -1);
        String[] operands = sides[0].split(",", -1);
        if (sides.length != 2 || operands.length != 2 || place > 1 || operands[place].contains(".")) {
            return Optional.empty();
        }
        String x = operands[1 - place];
        String weight = operands[place];
        StringBuilder summed = new StringBuilder();
        StringBuilder made = new StringBuilder();
        for (char letter : weight.toCharArray()) {
            boolean inX = x.indexOf(letter) >= 0;
            boolean inResult = sides[1].indexOf(letter) >= 0;
            if (inX == inResult || weight.indexOf(letter) != weight.lastIndexOf(letter)) {
                return Optional.empty(); // an axis of matrices side by side, a sum of the weight itself, a diagonal
            }
            (inX ? summed : made).append(letter);
        }
        boolean allUsed = x.chars()
                .filter(Character::isLetter)
                .allMatch(letter -> x.indexOf(letter) == x.lastIndexOf(letter)
                        && (weight.indexOf(letter) >= 0 || sides[1].indexOf(letter) >= 0));
        boolean inFirst = weight.equals(summed.toString() + made);
        boolean outFirst = weight.equals(made.toString() + summed);
        return allUsed && !summed.isEmpty() && !made.isEmpty() && (inFirst || outFirst)
                ? Optional.of(new EinsumLayer(x, weight, sides[1], summed.toString(), made.toString(), !inFirst))
                : Optional.empty();
    }

    /**
     * Tells whether an operand of two letters is a layer's weight in a sum of more than two operands, which are multiplied from
     * the left to the right: one letter is summed over when its turn comes, the other one is new then.
     *
     * @param node an Einsum
     * @param place which operand it is
     * @return whether it is [out,in]; nothing if it is no layer's weight
     */
    public static Optional<Boolean> amongOthers(OnnxNode node, int place) {
        String[] sides = node.text("equation", "").replace(" ", "").split("->", -1);
        String[] operands = sides[0].split(",", -1);
        if (sides.length != 2 || operands.length != node.inputs().size() || operands[place].length() != 2) {
            return Optional.empty();
        }
        int last = Math.max(place, 1); // the first operand waits for the second one
        String before = String.join("", Arrays.asList(operands).subList(0, last + 1))
                .replaceFirst(place == 0 ? Pattern.quote(operands[0]) : Pattern.quote(operands[place]) + "$", "");
        String after = String.join("", Arrays.asList(operands).subList(last + 1, operands.length)) + sides[1];
        boolean firstIsIn = isSummed(operands[place].charAt(0), before, after);
        boolean secondIsIn = isSummed(operands[place].charAt(1), before, after);
        boolean firstIsOut = isNew(operands[place].charAt(0), before, after);
        boolean secondIsOut = isNew(operands[place].charAt(1), before, after);
        return firstIsIn && secondIsOut
                ? Optional.of(false)
                : firstIsOut && secondIsIn ? Optional.of(true) : Optional.empty();
    }

    private static boolean isSummed(char letter, String before, String after) {
        return before.indexOf(letter) >= 0 && after.indexOf(letter) < 0;
    }

    private static boolean isNew(char letter, String before, String after) {
        return before.indexOf(letter) < 0 && after.indexOf(letter) >= 0;
    }

    /** Returns the shape [in,out], or [out,in], of the weight as a matrix. */
    public long[] matrix(long[] dims) {
        int first = outFirst ? made.length() : summed.length();
        return new long[] {product(dims, 0, first), product(dims, first, dims.length)};
    }

    private static long product(long[] dims, int from, int to) {
        return Arrays.stream(dims, from, to).reduce(1, (a, b) -> a * b);
    }

    /** Returns the shape of a matrix [in,r] that the activation is multiplied by. */
    long[] downShape(long[] dims, long rank) {
        return shape(dims, summed, rank, false);
    }

    /** Returns the shape of a matrix [r,out] that makes the result. */
    long[] upShape(long[] dims, long rank) {
        return shape(dims, made, rank, true);
    }

    private long[] shape(long[] dims, String letters, long rank, boolean rankFirst) {
        long[] shape = new long[letters.length() + 1];
        for (int i = 0; i < letters.length(); i++) {
            shape[i + (rankFirst ? 1 : 0)] = dims[weight.indexOf(letters.charAt(i))];
        }
        shape[rankFirst ? 0 : letters.length()] = rank;
        return shape;
    }

    String downEquation() {
        return x + "," + summed + inner() + "->" + kept() + inner();
    }

    String upEquation() {
        return kept() + inner() + "," + inner() + made + "->" + result;
    }

    /** The letters of the activation that are in the result. */
    private String kept() {
        StringBuilder kept = new StringBuilder();
        for (int i = 0; i < x.length(); i++) {
            if (summed.indexOf(x.charAt(i)) < 0) {
                kept.append(x.charAt(i));
            }
        }
        return kept.toString();
    }

    /** A letter that nothing has. */
    private char inner() {
        for (char letter = 'a'; letter <= 'z'; letter++) {
            if ((x + weight + result).indexOf(letter) < 0) {
                return letter;
            }
        }
        return 'Z';
    }
}
