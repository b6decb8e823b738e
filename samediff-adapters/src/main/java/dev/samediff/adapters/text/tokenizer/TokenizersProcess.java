package dev.samediff.adapters.text.tokenizer;

import dev.samediff.adapters.InvalidInputException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The tokenizers library in a process of its own, for files of which nobody can prove that they do not make it abort: such an abort, or
 * a text that it never comes to an end with, ends that process, and here it is a sentence. The process ends with {@link #close}, and with
 * the process that started it.
 */
final class TokenizersProcess implements NativeTokenizer {
    private static final long START_SECONDS = 60;
    private static final long CALL_SECONDS = 5;
    /** Characters, or bytes of a file, that may take another second. */
    private static final long PER_SECOND = 1 << 20;

    private static final List<String> WHERE_THE_LIBRARY_LIES =
            List.of("DJL_CACHE_DIR", "ENGINE_CACHE_DIR", "java.io.tmpdir", "user.home");

    private final String source;
    private final Process process;
    private final DataOutputStream out;
    private final DataInputStream in;
    private final ExecutorService calls;

    private TokenizersProcess(String source, Process process) {
        this.source = source;
        this.process = process;
        this.out = new DataOutputStream(new java.io.BufferedOutputStream(process.getOutputStream(), 1 << 16));
        this.in = new DataInputStream(new java.io.BufferedInputStream(process.getInputStream(), 1 << 16));
        this.calls = Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "tokenizers process");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Starts the process, loads the file in it, and encodes and decodes a few texts.
     *
     * @return nothing if no process can be started here, as in an image without {@code bin/java}
     * @throws InvalidInputException if the library refuses the file or aborts
     */
    static Optional<NativeTokenizer> open(byte[] json, String source) {
        Path java = Path.of(System.getProperty("java.home", ""), "bin", "java");
        String classes = System.getProperty("java.class.path", "");
        if (!Files.isExecutable(java) || classes.isEmpty()) {
            return Optional.empty();
        }
        Process process;
        try {
            List<String> command = new ArrayList<>(List.of(
                    java.toString(), "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"));
            for (String property : WHERE_THE_LIBRARY_LIES) {
                String value = System.getProperty(property);
                if (value != null) {
                    command.add("-D" + property + "=" + value);
                }
            }
            command.addAll(List.of("-cp", classes, TokenizersServer.class.getName()));
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.redirectError(ProcessBuilder.Redirect.DISCARD);
            builder.environment().remove("JAVA_TOOL_OPTIONS");
            process = builder.start();
        } catch (IOException e) {
            return Optional.empty();
        }
        TokenizersProcess tokenizer = new TokenizersProcess(source, process);
        try {
            if (!tokenizer.ready()) {
                tokenizer.close();
                return Optional.empty();
            }
            tokenizer.load(json);
            return Optional.of(tokenizer);
        } catch (RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    /** Whether the process runs our class; not so where the class path is not what a new process can read. */
    private boolean ready() {
        try {
            return limited(START_SECONDS, in::read) == TokenizersServer.READY;
        } catch (ExecutionException | TimeoutException e) {
            return false;
        }
    }

    private void load(byte[] json) {
        call("loads the file", CALL_SECONDS + json.length / PER_SECOND, () -> {
            out.writeInt(json.length);
            out.write(json);
            out.flush();
            return answered();
        });
        for (String probe : TokenizersServer.PROBES) {
            for (boolean framed : new boolean[] {false, true}) {
                int[] ids;
                try {
                    ids = encode(probe, framed);
                } catch (InvalidInputException e) {
                    throw e;
                } catch (RuntimeException e) { // refused by the library, as it may be: the vocabulary may be small
                    ids = new int[0];
                }
                decode(ids);
            }
        }
    }

    @Override
    public synchronized int[] encode(String text, boolean framed) {
        return call("encodes `" + JsonFiles.excerpt(text) + "`", CALL_SECONDS + text.length() / PER_SECOND, () -> {
            out.writeByte(framed ? TokenizersServer.FRAMED : TokenizersServer.ENCODE);
            TokenizersServer.write(out, text);
            out.flush();
            answered();
            return TokenizersServer.readIds(in);
        });
    }

    @Override
    public synchronized String decode(int[] ids) {
        return call("decodes " + ids.length + " tokens", CALL_SECONDS + ids.length / PER_SECOND, () -> {
            out.writeByte(TokenizersServer.DECODE);
            TokenizersServer.write(out, ids);
            out.flush();
            answered();
            return TokenizersServer.readText(in);
        });
    }

    /** Reads whether the call went well; throws what the library said if not. */
    private boolean answered() throws IOException {
        if (in.readByte() != 0) {
            throw new IllegalArgumentException(TokenizersServer.readText(in));
        }
        return true;
    }

    private <T> T call(String what, long seconds, Callable<T> task) {
        try {
            return limited(seconds, task);
        } catch (TimeoutException e) {
            close();
            throw new InvalidInputException(
                    source + " cannot be used: the tokenizers library did not come to an end within " + seconds
                            + " s when it " + what + "; check its patterns, or make the file again",
                    e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IllegalArgumentException refused) {
                throw refused;
            }
            close();
            throw new InvalidInputException(
                    source + " cannot be used: the tokenizers library aborted when it " + what
                            + "; make the file again",
                    e.getCause());
        }
    }

    private <T> T limited(long seconds, Callable<T> task) throws ExecutionException, TimeoutException {
        Future<T> future = calls.submit(task);
        try {
            return future.get(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the tokenizers library was at work", e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        calls.shutdownNow();
    }
}
