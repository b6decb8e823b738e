package dev.samediff.samples.serve.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.ListenAddress;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Listens, and has requests answered: as many at a time as the models have workers, a bounded number waits, others are told to come back.
 * Errors are JSON objects; what failed inside is said in the log, not to strangers.
 */
public final class ApiServer implements AutoCloseable {
    /** Requests that are being answered or wait for it. */
    private static final int MOST_REQUESTS = 64;

    /** Threads that can say no while all others wait. */
    private static final int SPARE_THREADS = 8;

    private static final int STOP_SECONDS = 10;

    private final HttpServer server;
    private final ExecutorService requests;
    private final ExecutorService writers;
    private final Models models;
    private final Map<String, Map<String, Endpoint>> endpoints;
    private final Semaphore places = new Semaphore(MOST_REQUESTS);
    private final Guard guard;
    private final Consumer<String> log;

    static {
        // Of the JDK's server: a request must arrive within this many seconds, an answer be read; small writes are sent
        // at once.
        unlessSet("sun.net.httpserver.maxReqTime", "60");
        unlessSet("sun.net.httpserver.maxRspTime", "3600");
        unlessSet("sun.net.httpserver.nodelay", "true");
    }

    private static void unlessSet(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    private ApiServer(HttpServer server, Guard guard, Service service, Consumer<String> log) {
        this.server = server;
        this.guard = guard;
        this.log = log;
        this.requests = Executors.newFixedThreadPool(MOST_REQUESTS + SPARE_THREADS);
        this.writers = Executors.newCachedThreadPool();
        this.models = new Models(service.names(), Instant.now().getEpochSecond());
        this.endpoints = service.endpoints(new TextWriter(writers), models);
    }

    /**
     * Begins to listen.
     *
     * @param address where
     * @param key what clients must know, if anything
     * @param service who answers; not closed with this
     * @param log is told a line for each request, without its content
     * @throws InvalidInputException if nobody can listen there
     */
    public static ApiServer start(ListenAddress address, Optional<String> key, Service service, Consumer<String> log) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(address.host(), address.port()), 0);
            ApiServer made = new ApiServer(server, new Guard(address, key), service, log);
            server.setExecutor(made.requests);
            server.createContext("/", made::handle);
            server.start();
            return made;
        } catch (SocketException e) {
            throw new InvalidInputException(
                    "nobody can listen to " + address.host() + ":" + address.port() + " (" + e.getMessage()
                            + "); give another --port, 0 for any that is free",
                    e);
        } catch (IOException e) {
            throw new InvalidInputException("no server can be opened: " + e.getMessage(), e);
        }
    }

    /** Returns the port that it listens to. */
    public int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        long start = System.nanoTime();
        Reply reply = new Reply(exchange);
        String said = "";
        try (exchange) {
            boolean admitted = places.tryAcquire();
            try {
                said = answer(exchange, reply, admitted);
            } finally {
                if (admitted) {
                    places.release();
                }
            }
        } catch (IOException gone) {
            said = " (the client has gone)";
        }
        log.accept(String.format(
                Locale.ROOT,
                "%s %s %d %.3f s%s",
                exchange.getRequestMethod(),
                path(exchange),
                reply.status(),
                (System.nanoTime() - start) / 1e9,
                said));
    }

    private String answer(HttpExchange exchange, Reply reply, boolean admitted) throws IOException {
        try {
            guard.check(exchange);
            if (!admitted) {
                exchange.getResponseHeaders().set("Retry-After", "1");
                throw ApiException.failed(503, MOST_REQUESTS + " requests wait already; try again later");
            }
            Endpoint endpoint = endpoint(exchange);
            try (InputStream body = exchange.getRequestBody()) {
                endpoint.answer(
                        exchange.getRequestMethod().equals("POST") ? Bodies.read(body) : Bodies.object(), reply);
            }
            return "";
        } catch (ApiException refused) {
            reply.fail(refused);
            return ": " + refused.getMessage();
        } catch (InvalidInputException refused) {
            reply.fail(ApiException.status(400, String.valueOf(refused.getMessage())));
            return ": " + refused.getMessage();
        } catch (RuntimeException | Error failed) {
            reply.fail(ApiException.failed(500, "the work failed; the server's log says why"));
            return ": " + failed;
        }
    }

    private Endpoint endpoint(HttpExchange exchange) {
        String path = path(exchange);
        Map<String, Endpoint> methods = path.startsWith(Models.PATH + "/")
                ? Map.of("GET", models.one(path.substring(Models.PATH.length() + 1)))
                : endpoints.get(path);
        if (methods == null) {
            throw ApiException.status(404, "there is nothing here; there are " + new TreeMap<>(endpoints).keySet());
        }
        Endpoint endpoint = methods.get(exchange.getRequestMethod());
        if (endpoint == null) {
            exchange.getResponseHeaders().set("Allow", String.join(", ", methods.keySet()));
            throw ApiException.status(405, "only " + String.join(", ", methods.keySet()) + " is possible here");
        }
        return endpoint;
    }

    private static String path(HttpExchange exchange) {
        return String.valueOf(exchange.getRequestURI().getPath());
    }

    /** Takes no more requests, lets those that are being answered end for some seconds, and stops. */
    @Override
    public void close() {
        server.stop(STOP_SECONDS);
        requests.shutdownNow();
        writers.shutdown();
    }
}
