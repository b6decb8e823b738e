package dev.samediff.importer.onnx;

import java.util.Optional;

/**
 * An Einstein sum that is a linear layer for each of several experts: of an activation and a stored tensor of three axes, whose
 * first is that of the experts ({@code eti,eio->eto}, {@code bti,eio->beto}, {@code eti,eoi->eto}). The activation may have the axis
 * of experts or not; then all experts get the same.
 *
 * @param x letters of the activation
 * @param result letters of the result
 * @param expert the letter of the experts
 * @param in the letter that is summed over
 * @param out the letter that the weight brings into the result
 * @param outFirst whether the weight is [experts,out,in]
 */
public record EinsumStack(String x, String result, char expert, char in, char out, boolean outFirst) {
    /**
     * Returns the stack, if the node is one.
     *
     * @param node an Einsum
     * @param place which of its two inputs is the weight
     */
    public static Optional<EinsumStack> of(OnnxNode node, int place) {
        String[] sides = node.text("equation", "").replace(" ", "").split("->", -1);
        String[] operands = sides[0].split(",", -1);
        if (sides.length != 2
                || operands.length != 2
                || place > 1
                || sides[0].contains(".")
                || operands[place].length() != 3) {
            return Optional.empty();
        }
        String x = operands[1 - place];
        String weight = operands[place];
        boolean outFirst = x.indexOf(weight.charAt(1)) < 0;
        char in = weight.charAt(outFirst ? 2 : 1);
        char out = weight.charAt(outFirst ? 1 : 2);
        EinsumStack stack = new EinsumStack(x, sides[1], weight.charAt(0), in, out, outFirst);
        return stack.isOne(weight) ? Optional.of(stack) : Optional.empty();
    }

    private boolean isOne(String weight) {
        boolean roles = x.indexOf(in) >= 0
                && x.indexOf(out) < 0
                && result.indexOf(in) < 0
                && result.indexOf(out) >= 0
                && result.indexOf(expert) >= 0;
        String made = kept() + out;
        boolean complete = made.length() == result.length() && made.chars().allMatch(each -> result.indexOf(each) >= 0);
        return roles
                && complete
                && isDistinct(weight)
                && isDistinct(x)
                && isDistinct(result)
                // one matrix for all experts, if they are the first axes of the weight and no axis of the activation
                && !(outFirst && x.indexOf(expert) < 0);
    }

    private static boolean isDistinct(String letters) {
        return letters.chars().distinct().count() == letters.length();
    }

    /** Tells whether the activation has an axis of experts. */
    public boolean isOfEach() {
        return x.indexOf(expert) >= 0;
    }

    /** Returns the letters of the activation but the one that is summed over, the experts in front. */
    public String kept() {
        return expert + x.replace(String.valueOf(expert), "").replace(String.valueOf(in), "");
    }

    String downEquation() {
        return x + "," + expert + in + inner() + "->" + kept() + inner();
    }

    String upEquation() {
        return kept() + inner() + "," + expert + inner() + out + "->" + result;
    }

    /** A letter that nothing has. */
    private char inner() {
        for (char letter = 'a'; letter <= 'z'; letter++) {
            if ((x + result).indexOf(letter) < 0) {
                return letter;
            }
        }
        return 'Z';
    }
}
