package dev.samediff.samples.cli;

import dev.samediff.adapters.Sentence;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/** Prints what files hold, such as names of layers, so that a terminal takes none of it for a command. */
final class PlainPrinter extends PrintWriter {
    /** Prints to a stream in UTF-8, line by line; {@link #checkError} knows whether the stream took it. */
    PlainPrinter(PrintStream stream) {
        super(stream, true, StandardCharsets.UTF_8);
    }

    @Override
    public void write(String text, int from, int length) {
        String plain = Sentence.plain(text.substring(from, from + length));
        super.write(plain, 0, plain.length());
    }

    @Override
    public void write(char[] text, int from, int length) {
        write(new String(text, from, length), 0, length);
    }

    @Override
    public void write(int c) {
        write(String.valueOf((char) c), 0, 1);
    }
}
