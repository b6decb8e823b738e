package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.Lexer.Kind;
import dev.samediff.adapters.text.chat.Lexer.Token;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.util.List;

/** The tokens of a template, one after the other. */
final class Tokens {
    /** Deeper ones would overflow the stack. */
    private static final int DEEPEST = 100;

    private final List<Token> tokens;
    private int at;
    private int depth;

    Tokens(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token next() {
        return tokens.get(at < tokens.size() - 1 ? at++ : at);
    }

    boolean sees(Kind kind) {
        return peek().kind() == kind;
    }

    boolean sees(Kind kind, String text) {
        return peek().is(kind, text);
    }

    /** Whether a name or operator comes. */
    boolean sees(String text) {
        return sees(Kind.NAME, text) || sees(Kind.OPERATOR, text);
    }

    /** Whether the next two tokens are a name or operator each. */
    boolean sees(String text, String then) {
        Token second = tokens.get(Math.min(at + 1, tokens.size() - 1));
        return sees(text) && (second.is(Kind.NAME, then) || second.is(Kind.OPERATOR, then));
    }

    /** Takes the next token if it is this one. */
    boolean takes(String text) {
        boolean seen = sees(text);
        if (seen) {
            next();
        }
        return seen;
    }

    void expect(String text) {
        if (!takes(text)) {
            throw unexpected("`" + text + "`");
        }
    }

    void expect(Kind kind, String what) {
        if (!sees(kind)) {
            throw unexpected(what);
        }
        next();
    }

    String name() {
        if (!sees(Kind.NAME)) {
            throw unexpected("a name");
        }
        return next().text();
    }

    void enter() {
        if (++depth > DEEPEST) {
            throw error("the template is nested more than " + DEEPEST + " deep");
        }
    }

    void leave() {
        depth--;
    }

    InvalidInputException unexpected(String expected) {
        String found = sees(Kind.END) ? "the end of the template" : "`" + JsonFiles.excerpt(peek().text()) + "`";
        return error("expected " + expected + ", found " + found);
    }

    InvalidInputException error(String what) {
        return new InvalidInputException("the chat template, line " + peek().line() + ": " + what);
    }
}
