package dev.samediff.adapters.backend;

import dev.samediff.adapters.InvalidInputException;
import java.util.Locale;
import org.nd4j.linalg.factory.Nd4j;

/** A program that selects a backend, computes, and says with what: {@code BackendProgram auto|cpu|cuda [late]}. */
final class BackendProgram {
    static final String REFUSED = "refused: ";

    private BackendProgram() {}

    public static void main(String[] arguments) {
        if (arguments.length > 1) {
            Nd4j.create(1); // too late for a choice
        }
        try {
            BackendChoice choice =
                    Backend.valueOf(arguments[0].toUpperCase(Locale.ROOT)).select();
            System.out.println(choice.sentence());
            System.out.println(Nd4j.getBackend().getClass().getSimpleName() + " computes "
                    + Nd4j.createFromArray(2f, 3f).mul(2).sumNumber().intValue());
        } catch (InvalidInputException e) {
            System.out.println(REFUSED + e.getMessage());
        }
    }
}
