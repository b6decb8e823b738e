package dev.samediff.samples.serve.http;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import dev.samediff.adapters.io.ListenAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who may ask.
 *
 * <p>A page in a browser of this machine can send requests to a server of this machine. It cannot send {@code application/json} to another origin
 * without asking first, which is never granted here, and it cannot choose the header {@code Host}, so that a name which a
 * stranger lets point at this machine is noticed.
 *
 * @param address where the server listens
 * @param key what a client must know, if anything
 */
record Guard(ListenAddress address, Optional<String> key) {
    /**
     * Checks a request.
     *
     * @throws ApiException if it is none that may be answered
     */
    void check(HttpExchange exchange) {
        Headers headers = exchange.getRequestHeaders();
        if (!address.answersTo(headers.getFirst("Host"))) {
            throw ApiException.status(
                    403, "the request is for another host than this one; ask for localhost or 127.0.0.1");
        }
        if (key.isPresent() && !same("Bearer " + key.get(), headers.getFirst("Authorization"))) {
            throw ApiException.status(401, "the API key is missing or another one; send `Authorization: Bearer KEY`");
        }
        String type = Optional.ofNullable(headers.getFirst("Content-Type")).orElse("");
        if (exchange.getRequestMethod().equals("POST")
                && !type.split(";", 2)[0].strip().equalsIgnoreCase("application/json")) {
            throw ApiException.status(415, "the request's Content-Type must be application/json");
        }
    }

    private static boolean same(String expected, @Nullable String given) {
        return given != null
                && MessageDigest.isEqual(
                        expected.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
    }
}
