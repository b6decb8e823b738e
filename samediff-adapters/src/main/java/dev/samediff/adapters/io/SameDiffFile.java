package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Graphs in SameDiff's own files ({@code SameDiff.save}), read so that a damaged or hostile file is a sentence: SameDiff's reader follows
 * the offsets in a file without looking where they lead, and fails with whatever it meets there.
 */
public final class SameDiffFile {
    private SameDiffFile() {}

    /**
     * Reads a graph, with its updater state if it was saved.
     *
     * @throws InvalidInputException if it is missing, or is not what {@code SameDiff.save} wrote
     * @throws IOException if reading fails
     */
    public static SameDiff load(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException(file + (Files.exists(file) ? " is not a file" : " does not exist")
                    + "; expected a graph that SameDiff.save wrote");
        }
        long size = Files.size(file);
        if (size < 8 || size > Integer.MAX_VALUE - 8) {
            throw new InvalidInputException(file + " has " + size
                    + " bytes; a graph that SameDiff.save wrote has more than 8 and less than 2 GB");
        }
        try {
            SameDiff graph = SameDiff.load(file.toFile(), true);
            graph.variables().forEach(variable -> requireWhole(graph, variable.name()));
            return graph;
        } catch (InvalidInputException e) {
            throw new InvalidInputException(file + " " + e.getMessage() + "; save the graph again", e);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new InvalidInputException(
                    file
                            + " is not a complete graph that SameDiff.save wrote, or one of another version of ND4J; save it again",
                    e);
        }
    }

    /** A shape and the numbers under it are read from two places of a file. */
    private static void requireWhole(SameDiff graph, String name) {
        if (graph.getVariable(name).getVariableType() == VariableType.ARRAY) {
            return;
        }
        INDArray array = graph.getArrForVarName(name);
        if (array != null && !array.isEmpty() && array.data().length() < array.length()) {
            throw new InvalidInputException("has " + array.data().length() + " numbers for `" + name
                    + "`, whose shape needs " + array.length());
        }
    }
}
