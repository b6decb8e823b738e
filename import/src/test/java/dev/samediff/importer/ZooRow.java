package dev.samediff.importer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What one file of the zoo came to. It is kept in a file of its own, so that several processes share the work, and that one which
 * is ended goes on where it was.
 *
 * @param name of the file, without its ending
 * @param layers linear layers
 * @param verified the largest difference of the file's verification
 * @param merged the same of the merged file
 * @param adapted the largest difference of the merged file from the graph that was trained
 * @param failure what went wrong; empty if nothing did
 */
record ZooRow(String name, int layers, double verified, double merged, double adapted, String failure) {
    private static final String STARTED = "the process that measures it has ended, or goes on";

    static ZooRow failed(String name, String failure) {
        return new ZooRow(name, 0, Double.NaN, Double.NaN, Double.NaN, failure.replaceAll("\\s+", " "));
    }

    /** Whether everything was within the tolerance. */
    boolean holds() {
        return failure.isEmpty() && Math.max(verified, Math.max(merged, adapted)) <= ZooRun.TOLERANCE;
    }

    /** Why it does not hold, as a remark. */
    String reason() {
        return failure.isEmpty()
                ? "differs by " + Math.max(verified, Math.max(merged, adapted))
                : failure.replaceAll("/\\S*/", "").replace(name + ".onnx", "it");
    }

    String architecture() {
        return name.replaceFirst("-op\\d+-.*$", "");
    }

    String opset() {
        return name.replaceFirst("^.*-op(\\d+)-.*$", "$1");
    }

    /** Claims a name for this process; false if one has it. */
    static boolean claim(Path folder, String name) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(name), line(failed(name, STARTED)), StandardOpenOption.CREATE_NEW);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void write(Path folder) {
        try {
            Files.writeString(folder.resolve(name), line(this));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String line(ZooRow row) {
        return String.join(
                "\t",
                row.name,
                String.valueOf(row.layers),
                String.valueOf(row.verified),
                String.valueOf(row.merged),
                String.valueOf(row.adapted),
                row.failure);
    }

    static ZooRow read(Path file) {
        try {
            String[] parts = Files.readString(file).split("\t", -1);
            return new ZooRow(
                    parts[0],
                    Integer.parseInt(parts[1]),
                    Double.parseDouble(parts[2]),
                    Double.parseDouble(parts[3]),
                    Double.parseDouble(parts[4]),
                    parts[5]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
