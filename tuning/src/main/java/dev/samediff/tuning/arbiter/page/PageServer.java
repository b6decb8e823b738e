package dev.samediff.tuning.arbiter.page;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.ListenAddress;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.deeplearning4j.ui.VertxUIServer;

/**
 * DL4J's server on one address of this machine. {@link VertxUIServer} itself listens on all of them, and M2.1 has no setting
 * for it: it asks its {@code Vertx} for an HTTP server and says the port only. So it gets one whose servers know their
 * address ({@link BoundVertx}), while it starts.
 */
final class PageServer extends VertxUIServer {
    private final ListenAddress address;

    private PageServer(ListenAddress address) {
        this.address = address;
    }

    /**
     * Starts a server. There is one per process: {@link VertxUIServer#getInstance()} is this one until it is stopped.
     *
     * @throws InvalidInputException if it cannot listen there
     */
    static PageServer start(ListenAddress address) {
        PageServer server = new PageServer(address);
        Vertx vertx = Vertx.vertx();
        CompletableFuture<String> started = new CompletableFuture<>();
        vertx.deployVerticle(server, deployed -> {
            if (deployed.succeeded()) {
                started.complete(deployed.result());
            } else {
                started.completeExceptionally(deployed.cause());
            }
        });
        try {
            started.get();
            return server;
        } catch (ExecutionException e) {
            server.stop(Promise.promise()); // DL4J would go on to take it for a running one
            vertx.close();
            throw new InvalidInputException("no page for the browser on " + address.host() + " port " + address.port()
                    + ": it is in use or not allowed; give another port, or 0 for any that is free");
        } catch (InterruptedException e) {
            vertx.close();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the page for the browser started", e);
        }
    }

    @Override
    public void start(Promise<Void> started) throws Exception {
        Vertx own = vertx;
        vertx = BoundVertx.of(own, address);
        try {
            super.start(started);
        } finally {
            vertx = own;
        }
    }
}
