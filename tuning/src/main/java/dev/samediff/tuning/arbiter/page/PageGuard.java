package dev.samediff.tuning.arbiter.page;

import dev.samediff.adapters.io.ListenAddress;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;

/**
 * Lets a page be looked at, and nothing else: DL4J's server also takes uploads. A page of this machine is shown only to who
 * asks for it by a name of this machine, so that no page from elsewhere can have a browser read it under its own name.
 *
 * @param page the page
 * @param address where it is served
 */
record PageGuard(Handler<HttpServerRequest> page, ListenAddress address) implements Handler<HttpServerRequest> {
    private static final List<HttpMethod> LOOKING = List.of(HttpMethod.GET, HttpMethod.HEAD);

    @Override
    public void handle(HttpServerRequest request) {
        if (!LOOKING.contains(request.method())) {
            request.response().setStatusCode(405).end("this page can only be looked at");
        } else if (!address.answersTo(request.host())) {
            request.response().setStatusCode(403).end("this page is for this machine only: ask for it as localhost");
        } else {
            page.handle(request);
        }
    }
}
