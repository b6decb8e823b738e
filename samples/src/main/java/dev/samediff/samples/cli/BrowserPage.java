package dev.samediff.samples.cli;

import dev.samediff.adapters.io.ListenAddress;
import dev.samediff.tuning.SweepListener;
import dev.samediff.tuning.arbiter.page.ArbiterPage;
import dev.samediff.tuning.arbiter.page.PageLibraries;
import dev.samediff.tuning.space.AdapterSpace;
import java.util.Optional;
import java.util.function.Consumer;

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
    static void require(Optional<ListenAddress> address) {
        address.ifPresent(wanted -> PageLibraries.require());
    }

    /** Opens the page, or does nothing without an address. */
    static BrowserPage open(Optional<ListenAddress> address, String name, AdapterSpace space, Consumer<String> say) {
        if (address.isEmpty()) {
            return new BrowserPage(new SweepListener() {}, () -> {});
        }
        ArbiterPage page = ArbiterPage.start(address.get(), name, space);
        say.accept("page: " + page.address() + ", until the sweep ends");
        if (!address.get().isOfThisMachineOnly()) {
            say.accept("warning: the page is shown on " + address.get().host()
                    + ": anybody who reaches this machine there can look, without a password");
        }
        return new BrowserPage(page, page::close);
    }

    @Override
    public void close() {
        end.run();
    }
}
