package dev.samediff.tuning.arbiter.page;

import dev.samediff.adapters.io.ListenAddress;
import io.vertx.core.AsyncResult;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.impl.VertxInternal;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/** A {@link Vertx} whose HTTP servers listen on one address, whatever port they are told, behind a {@link PageGuard}. */
final class BoundVertx {
    private BoundVertx() {}

    static Vertx of(Vertx vertx, ListenAddress address) {
        return proxy(VertxInternal.class, (proxy, method, arguments) -> {
            Object result = call(vertx, method, arguments);
            return result instanceof HttpServer server ? bound(server, address) : result;
        });
    }

    @SuppressWarnings("unchecked") // as HttpServer's methods have them
    private static HttpServer bound(HttpServer server, ListenAddress address) {
        return proxy(HttpServer.class, (proxy, method, arguments) -> {
            boolean isHandler = arguments != null && arguments.length == 1;
            if (method.getName().equals("requestHandler") && isHandler) {
                server.requestHandler(new PageGuard((Handler<HttpServerRequest>) arguments[0], address));
                return proxy;
            }
            if (method.getName().equals("listen") && arguments != null && arguments.length == 2) {
                return server.listen(address.port(), address.host(), (Handler<AsyncResult<HttpServer>>) arguments[1]);
            }
            return call(server, method, arguments);
        });
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static Object call(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
