package dev.samediff.tuning.arbiter.page;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;

/** The libraries of the page. */
public final class PageLibraries {
    private static final List<String> NEEDED = List.of(
            "org.deeplearning4j.ui.VertxUIServer",
            "org.deeplearning4j.ui.model.storage.InMemoryStatsStorage",
            "org.deeplearning4j.arbiter.ui.module.ArbiterModule",
            "org.deeplearning4j.arbiter.BaseNetworkSpace",
            "io.vertx.ext.web.Router");

    private PageLibraries() {}

    /**
     * Checks that the page can be shown.
     *
     * @throws InvalidInputException if a library is not on the class path, with what to do
     */
    public static void require() {
        require(PageLibraries.class.getClassLoader());
    }

    static void require(ClassLoader loader) {
        for (String name : NEEDED) {
            try {
                Class.forName(name, false, loader);
            } catch (ClassNotFoundException | NoClassDefFoundError e) {
                throw new InvalidInputException("Arbiter's page is not on the class path (" + name
                        + " is missing); add the libraries of docs/tuning.md, on the command line"
                        + " SAMEDIFF_MAVEN_ARGS=-Pui samples/run ...");
            }
        }
    }
}
