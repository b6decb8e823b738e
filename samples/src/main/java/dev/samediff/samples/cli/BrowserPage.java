package dev.samediff.samples.cli;

import dev.samediff.tuning.SweepListener;
import dev.samediff.tuning.arbiter.page.ArbiterPage;
import dev.samediff.tuning.arbiter.page.PageLibraries;
import dev.samediff.tuning.space.AdapterSpace;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A sweep in the browser, or nothing. Its libraries are optional: the page's class is loaded when they were found.
 *
 * @param listener is told how the sweep goes
 * @param end takes the page away
 */
record BrowserPage(SweepListener listener, Runnable end) implements AutoCloseable {
    /**
     * Checks that there can be a page.
     *
     * @throws dev.samediff.adapters.InvalidInputException if one is asked for and its libraries are missing
     */
    static void require(@Nullable Integer port) {
        if (port != null) {
            PageLibraries.require();
        }
    }

    /** Opens the page on a port, or does nothing without one. */
    static BrowserPage open(@Nullable Integer port, String name, AdapterSpace space, Consumer<String> say) {
        if (port == null) {
            return new BrowserPage(new SweepListener() {}, () -> {});
        }
        ArbiterPage page = ArbiterPage.start(port, name, space);
        say.accept("page: " + page.address() + ", until the sweep ends");
        return new BrowserPage(page, page::close);
    }

    @Override
    public void close() {
        end.run();
    }
}
