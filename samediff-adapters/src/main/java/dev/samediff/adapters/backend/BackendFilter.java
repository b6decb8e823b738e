package dev.samediff.adapters.backend;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A class loader in which one backend of ND4J is not declared. It works on the lines of the declarations, because a jar
 * that was merged from several has both backends in one file.
 */
final class BackendFilter extends ClassLoader {
    private static final String DECLARATIONS = "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend";

    private final String hidden;

    /**
     * Creates the loader.
     *
     * @param parent where everything comes from
     * @param hidden class name of the backend to leave out
     */
    BackendFilter(ClassLoader parent, String hidden) {
        super(parent);
        this.hidden = hidden;
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
        Enumeration<URL> found = super.getResources(name);
        if (!name.equals(DECLARATIONS)) {
            return found;
        }
        List<URL> filtered = new ArrayList<>();
        for (URL file : Collections.list(found)) {
            filtered.add(filtered(file));
        }
        return Collections.enumeration(filtered);
    }

    private URL filtered(URL file) throws IOException {
        String kept;
        try (InputStream in = file.openStream()) {
            kept = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.replaceFirst("#.*", "").strip().equals(hidden))
                    .collect(Collectors.joining("\n"));
        }
        return new URL(null, "backends:" + file, new Text(kept.getBytes(StandardCharsets.UTF_8)));
    }

    /** Makes a URL give some bytes. */
    private static final class Text extends URLStreamHandler {
        private final byte[] bytes;

        Text(byte[] bytes) {
            this.bytes = bytes;
        }

        @Override
        protected URLConnection openConnection(URL url) {
            return new URLConnection(url) {
                @Override
                public void connect() {}

                @Override
                public InputStream getInputStream() {
                    return new ByteArrayInputStream(bytes);
                }
            };
        }
    }
}
