package dev.samediff.adapters.text.tokenizer;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;

/**
 * The other end of {@link TokenizersProcess}: takes a file, then texts and ids, from standard input until it ends.
 *
 * <p>Requests: a kind, then a text (length, UTF-16) or ids (count, numbers). Answers: 0 and the result, or 1 and why not.
 */
final class TokenizersServer {
    static final int READY = 'r';
    static final int ENCODE = 1;
    static final int FRAMED = 2;
    static final int DECODE = 3;

    /** What a panic is likely to need: nothing, spaces, one character, repetitions, other scripts, what is not text. */
    static final List<String> PROBES = List.of(
            "",
            " ",
            "a",
            "  Hello, World's  \n\n\t 12345 it's.\r\n",
            "</s><s><pad>[CLS]<unk>\u2581\u0120",
            "\u00e9e\u0301\u00df\ufb01\u0130\u1e9e \u4f60\u597d \u0e44\u0e17\u0e22 \u05d0\u0628 \ud83d\ude00\u200d\ud83d\udc69 \u200b\ufeff",
            "\u0000\u0001\u007f\ufffd",
            "a".repeat(3000) + "!",
            " ".repeat(3000) + "!",
            "1".repeat(600) + "." + "ab1 ".repeat(300) + "!");

    private TokenizersServer() {}

    /** Serves one file. */
    public static void main(String[] arguments) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
        DataOutputStream out =
                new DataOutputStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16));
        System.setOut(new PrintStream(System.err, true)); // what libraries print is no answer
        out.writeByte(READY);
        out.flush();
        NativeTokenizer tokenizer;
        try {
            byte[] json = in.readNBytes(in.readInt());
            tokenizer = TokenizersLibraryHere.open(json);
            out.writeByte(0);
        } catch (RuntimeException e) {
            refuse(out, e);
            return;
        }
        try (tokenizer) {
            while (true) {
                out.flush();
                serve(tokenizer, in, out);
            }
        } catch (EOFException e) { // the other side has ended
            return;
        }
    }

    private static void serve(NativeTokenizer tokenizer, DataInputStream in, DataOutputStream out) throws IOException {
        int kind = in.readByte();
        try {
            if (kind == DECODE) {
                String text = tokenizer.decode(readIds(in));
                out.writeByte(0);
                write(out, text);
            } else {
                int[] ids = tokenizer.encode(readText(in), kind == FRAMED);
                out.writeByte(0);
                write(out, ids);
            }
        } catch (RuntimeException e) {
            refuse(out, e);
        }
    }

    private static void refuse(DataOutputStream out, RuntimeException e) throws IOException {
        out.writeByte(1);
        write(out, String.valueOf(e.getMessage()));
        out.flush();
    }

    static void write(DataOutputStream out, String text) throws IOException {
        out.writeInt(text.length());
        out.writeChars(text);
    }

    static void write(DataOutputStream out, int[] ids) throws IOException {
        out.writeInt(ids.length);
        for (int id : ids) {
            out.writeInt(id);
        }
    }

    static String readText(DataInputStream in) throws IOException {
        char[] text = new char[in.readInt()];
        for (int i = 0; i < text.length; i++) {
            text[i] = in.readChar();
        }
        return new String(text);
    }

    static int[] readIds(DataInputStream in) throws IOException {
        int[] ids = new int[in.readInt()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = in.readInt();
        }
        return ids;
    }
}
