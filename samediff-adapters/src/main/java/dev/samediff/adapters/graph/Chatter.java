package dev.samediff.adapters.graph;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Keeps lines that SameDiff prints to standard output for every op out of the program's own output. */
final class Chatter {
    private Chatter() {}

    /**
     * Runs an action while lines of this thread that start with a prefix are dropped. Everything else printed meanwhile,
     * by this or other threads, passes.
     */
    static synchronized void silence(String prefix, Runnable action) {
        PrintStream original = System.out;
        PrintStream filter = new Filter(original, prefix, Thread.currentThread());
        System.setOut(filter);
        try {
            action.run();
        } finally {
            if (System.out == filter) {
                System.setOut(original);
            }
        }
    }

    private static final class Filter extends PrintStream {
        private final PrintStream original;
        private final String prefix;
        private final Thread silenced;

        Filter(PrintStream original, String prefix, Thread silenced) {
            super(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
            this.original = original;
            this.prefix = prefix;
            this.silenced = silenced;
        }

        @Override
        public void println(String line) {
            if (Thread.currentThread() != silenced || line == null || !line.startsWith(prefix)) {
                original.println(line);
            }
        }

        @Override
        public void println(Object line) {
            original.println(line);
        }

        @Override
        public void println() {
            original.println();
        }

        @Override
        public void print(String text) {
            original.print(text);
        }

        @Override
        public void write(int b) {
            original.write(b);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            original.write(bytes, offset, length);
        }

        @Override
        public void flush() {
            original.flush();
        }
    }
}
