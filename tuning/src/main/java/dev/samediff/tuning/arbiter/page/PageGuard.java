package dev.samediff.tuning.arbiter.page;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Lets a page be looked at, and nothing else: DL4J's server also takes uploads. A page of this machine is shown only to who
 * asks for it by a name of this machine, so that no page from elsewhere can have a browser read it under its own name.
 *
 * @param page the page
 * @param names names by which it may be asked for; empty for any
 */
record PageGuard(Handler<HttpServerRequest> page, Optional<Set<String>> names) implements Handler<HttpServerRequest> {
    private static final List<HttpMethod> LOOKING = List.of(HttpMethod.GET, HttpMethod.HEAD);

    @Override
    public void handle(HttpServerRequest request) {
        if (!LOOKING.contains(request.method())) {
            request.response().setStatusCode(405).end("this page can only be looked at");
        } else if (names.isPresent() && !names.get().contains(name(request.host()))) {
            request.response().setStatusCode(403).end("this page is for this machine only: ask for it as localhost");
        } else {
            page.handle(request);
        }
    }

    /** The host of a header {@code Host}, without its port. */
    static String name(@Nullable String host) {
        return host == null ? "" : host.replaceFirst(":\\d*$", "");
    }
}
