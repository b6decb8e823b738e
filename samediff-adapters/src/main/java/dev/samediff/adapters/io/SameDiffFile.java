package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.graph.FlatGraph;

/**
 * Graphs in SameDiff's own files ({@code SameDiff.save}), read so that a damaged or hostile file is a sentence: SameDiff's reader fails with
 * whatever it meets, and reads beyond arrays whose strides a file makes too large.
 */
public final class SameDiffFile {
    private SameDiffFile() {}

    /**
     * Writes a graph without updater state; the file is complete or as it was.
     *
     * @throws InvalidInputException if what is there must not be replaced, see {@link Destination#file}
     * @throws IOException if it cannot be written
     */
    public static void save(SameDiff graph, Path target) throws IOException {
        try (PendingFile pending = PendingFile.open(target, (file, leftover) -> {})) {
            graph.save(pending.temporary().toFile(), false);
            pending.commit();
        } catch (IOException e) {
            throw DurableFiles.failure(target, e);
        } catch (RuntimeException e) {
            if (e.getCause() instanceof IOException cause) { // SameDiff says only that there was an error
                throw DurableFiles.failure(target, cause);
            }
            throw e;
        }
    }

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
            FlatArrays.require(FlatGraph.getRootAsFlatGraph(ByteBuffer.wrap(Files.readAllBytes(file))));
            return SameDiff.load(file.toFile(), true);
        } catch (InvalidInputException e) {
            throw new InvalidInputException(file + " " + e.getMessage() + "; save the graph again", e);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new InvalidInputException(
                    file
                            + " is not a complete graph that SameDiff.save wrote, or one of another version of ND4J; save it again",
                    e);
        }
    }
}
