package dev.samediff.tuning.spark;

import dev.samediff.adapters.io.DurableFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The installation of Spark that workers of a {@code local-cluster} ask for before they start an executor. They take nothing
 * from it, as executors get this process's class path, but it must have a folder {@code jars}, and gets their logs in
 * {@code work}. Without an installation (SPARK_HOME) workers take the current folder, and no executor starts. A worker looks
 * when it is made: in the variable SPARK_HOME or, if {@code spark.testing} is set, in {@code spark.test.home}.
 */
final class WorkerHome implements AutoCloseable {
    private static final String TESTING = "spark.testing";
    private static final String HOME = "spark.test.home";

    private WorkerHome() {}

    /** Offers an empty installation to workers that are made before it is closed, if there is no SPARK_HOME. */
    static WorkerHome offer() {
        if (System.getenv("SPARK_HOME") == null) {
            try {
                Path home = Files.createTempDirectory("spark-home");
                Files.createDirectory(home.resolve("jars"));
                Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(home)));
                System.setProperty(HOME, home.toString());
                System.setProperty(TESTING, "true");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return new WorkerHome();
    }

    private static void delete(Path home) {
        try {
            DurableFiles.deleteTree(home);
        } catch (IOException e) {
            // the system cleans its temporary folder
        }
    }

    @Override
    public void close() {
        System.clearProperty(TESTING);
        System.clearProperty(HOME);
    }
}
