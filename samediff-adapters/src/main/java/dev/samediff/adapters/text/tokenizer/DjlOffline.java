package dev.samediff.adapters.text.tokenizer;

import java.io.IOException;

/**
 * Opens DJL objects without a network: with {@code ai.djl.offline} DJL neither looks for a CUDA build of its native
 * library to download nor reports the use to its makers. The property is set for the time of the call only, so that
 * other uses of DJL in the same JVM keep their network.
 */
final class DjlOffline {
    private static final String OFFLINE = "ai.djl.offline";

    private DjlOffline() {}

    /** Opens something. */
    interface Opening<T> {
        T open() throws IOException;
    }

    static synchronized <T> T call(Opening<T> opening) throws IOException {
        String before = System.getProperty(OFFLINE);
        System.setProperty(OFFLINE, "true");
        try {
            return opening.open();
        } catch (LinkageError e) {
            throw new IllegalStateException(
                    "the native tokenizers library of DJL cannot be loaded on " + System.getProperty("os.name") + " "
                            + System.getProperty("os.arch") + " (it exists for Linux x86_64 and aarch64, macOS aarch64,"
                            + " Windows x86_64); set DJL_CACHE_DIR to a writable directory, or use a character"
                            + " vocabulary: " + e.getMessage(),
                    e);
        } finally {
            if (before == null) {
                System.clearProperty(OFFLINE);
            } else {
                System.setProperty(OFFLINE, before);
            }
        }
    }
}
