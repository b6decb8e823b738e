package dev.samediff.adapters.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** The optional collection of golden numbers and real models beside the checkout ({@code -Dshared.dir}). */
public final class SharedFiles {
    private SharedFiles() {}

    /** Returns the path of a file or folder of the collection; the calling test is skipped, with the reason, without it. */
    public static Path require(String relative) {
        Path shared = Path.of(System.getProperty("shared.dir", "../../shared"))
                .toAbsolutePath()
                .normalize();
        Path path = shared.resolve(relative);
        if (!Files.exists(path)) { // a git worktree may lie one level deeper than the main checkout
            Path other = shared.resolve("../../shared").normalize().resolve(relative);
            path = Files.exists(other) ? other : path;
        }
        assumeTrue(Files.exists(path), path + " is not there; give -Dshared.dir to run this test");
        return path;
    }
}
