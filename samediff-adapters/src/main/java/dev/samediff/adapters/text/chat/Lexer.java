package dev.samediff.adapters.text.chat;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens, with blanks handled as transformers sets Jinja up: {@code trim_blocks}, {@code lstrip_blocks}, and no line break
 * at the end.
 */
final class Lexer {
    /** Kinds of tokens. */
    enum Kind {
        DATA,
        BLOCK_BEGIN,
        BLOCK_END,
        VALUE_BEGIN,
        VALUE_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    /**
     * A token.
     *
     * @param kind its kind
     * @param text its text; of strings without quotes and escapes
     * @param line line in the template, from 1
     */
    record Token(Kind kind, String text, int line) {
        boolean is(Kind other, String what) {
            return kind == other && text.equals(what);
        }
    }

    private static final Pattern RAW = Pattern.compile("\\s*raw\\s*(-?)%\\}");
    private static final Pattern RAW_END = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}");
    private static final List<String> OPERATORS = List.of(
            "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ",", ":", "|", "(",
            ")", "[", "]", "{", "}");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    /** Whether what stands before is the beginning of a line. */
    private boolean lineStarts = true;

    private boolean trimNext;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        Lexer lexer = new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
        lexer.template();
        return lexer.tokens;
    }

    private void template() {
        while (at < source.length()) {
            int next = nextTag();
            String data = source.substring(at, next);
            int dataLine = line;
            count(data);
            if (trimNext) {
                data = data.stripLeading();
            }
            trimNext = false;
            if (next == source.length()) {
                at = next;
                data(data, dataLine);
                break;
            }
            char kind = source.charAt(next + 1);
            char control = next + 2 < source.length() ? source.charAt(next + 2) : ' ';
            if (control == '-') {
                data = data.stripTrailing();
            } else if (kind != '{' && control != '+') {
                data = withoutIndent(data);
            }
            data(data, dataLine);
            at = next + 2 + (control == '-' || control == '+' ? 1 : 0);
            lineStarts = false;
            switch (kind) {
                case '#' -> comment();
                case '%' -> block();
                default -> {
                    add(Kind.VALUE_BEGIN, "{{");
                    inside("}}", Kind.VALUE_END);
                }
            }
        }
        add(Kind.END, "");
    }

    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            if ("{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return source.length();
    }

    private String withoutIndent(String data) {
        int begin = data.lastIndexOf('\n') + 1;
        boolean startsLine = begin > 0 || lineStarts;
        return startsLine && data.substring(begin).isBlank() ? data.substring(0, begin) : data;
    }

    private void data(String data, int dataLine) {
        if (!data.isEmpty()) {
            tokens.add(new Token(Kind.DATA, data, dataLine));
        }
    }

    private void comment() {
        int end = source.indexOf("#}", at);
        if (end < 0) {
            throw error("a comment has no end `#}`");
        }
        count(source.substring(at, end));
        char control = end > at ? source.charAt(end - 1) : ' ';
        at = end + 2;
        behindBlock(control == '-', control == '+');
    }

    private void block() {
        Matcher raw = RAW.matcher(source);
        raw.region(at, source.length());
        if (raw.lookingAt()) {
            Matcher end = RAW_END.matcher(source);
            if (!end.find(raw.end())) {
                throw error("raw has no end");
            }
            String data = source.substring(raw.end(), end.start());
            data = raw.group(1).isEmpty() ? data : data.stripLeading();
            data(end.group(1).equals("-") ? data.stripTrailing() : data, line);
            count(source.substring(at, end.end()));
            at = end.end();
            behindBlock(end.group(2).equals("-"), end.group(2).equals("+"));
            return;
        }
        add(Kind.BLOCK_BEGIN, "{%");
        inside("%}", Kind.BLOCK_END);
    }

    private void behindBlock(boolean trims, boolean keeps) {
        trimNext = trims;
        if (!trims && !keeps && at < source.length() && source.charAt(at) == '\n') {
            at++;
            line++;
            lineStarts = true;
        }
    }

    /** Reads the tokens of an expression up to the end of its tag. */
    private void inside(String close, Kind end) {
        int depth = 0;
        while (true) {
            while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
                line += source.charAt(at) == '\n' ? 1 : 0;
                at++;
            }
            if (at >= source.length()) {
                throw error("a tag has no end `" + close + "`");
            }
            char control = source.charAt(at);
            boolean controlled = (control == '-' || control == '+') && source.startsWith(close, at + 1);
            if (controlled || (source.startsWith(close, at) && depth == 0)) {
                at += close.length() + (controlled ? 1 : 0);
                add(end, close);
                if (end == Kind.BLOCK_END) {
                    behindBlock(controlled && control == '-', controlled && control == '+');
                } else {
                    trimNext = controlled && control == '-';
                }
                return;
            }
            depth += control == '{' ? 1 : control == '}' ? -1 : 0;
            token(control);
        }
    }

    private void token(char c) {
        int begin = at;
        if (c == '"' || c == '\'') {
            add(Kind.STRING, string(c));
        } else if (Character.isLetter(c) || c == '_') {
            while (at < source.length() && (Character.isLetterOrDigit(source.charAt(at)) || source.charAt(at) == '_')) {
                at++;
            }
            add(Kind.NAME, source.substring(begin, at));
        } else if (c >= '0' && c <= '9') {
            boolean fraction = false;
            while (at < source.length() && (isDigit(at) || source.charAt(at) == '_' || (!fraction && isPoint(at)))) {
                fraction |= source.charAt(at) == '.';
                at++;
            }
            add(
                    fraction ? Kind.FLOAT : Kind.INTEGER,
                    source.substring(begin, at).replace("_", ""));
        } else {
            String operator = OPERATORS.stream()
                    .filter(one -> source.startsWith(one, begin))
                    .findFirst()
                    .orElseThrow(() -> error("`" + c + "` is not expected here"));
            at += operator.length();
            add(Kind.OPERATOR, operator);
        }
    }

    private boolean isDigit(int place) {
        return source.charAt(place) >= '0' && source.charAt(place) <= '9';
    }

    private boolean isPoint(int place) {
        return source.charAt(place) == '.' && place + 1 < source.length() && isDigit(place + 1);
    }

    private String string(char quote) {
        StringBuilder text = new StringBuilder();
        for (at++; at < source.length() && source.charAt(at) != quote; at++) {
            char c = source.charAt(at);
            line += c == '\n' ? 1 : 0;
            if (c != '\\' || at + 1 == source.length()) {
                text.append(c);
                continue;
            }
            char escaped = source.charAt(++at);
            switch (escaped) {
                case 'n' -> text.append('\n');
                case 't' -> text.append('\t');
                case 'r' -> text.append('\r');
                case 'u', 'x' -> {
                    int digits = escaped == 'u' ? 4 : 2;
                    String code = source.substring(at + 1, Math.min(source.length(), at + 1 + digits));
                    if (!code.matches("[0-9a-fA-F]{" + digits + "}")) {
                        throw error("`\\" + escaped + code + "` is no character");
                    }
                    text.append((char) Integer.parseInt(code, 16));
                    at += digits;
                }
                case '\\', '\'', '"' -> text.append(escaped);
                default -> text.append('\\').append(escaped);
            }
        }
        if (at >= source.length()) {
            throw error("a string has no end");
        }
        at++;
        return text.toString();
    }

    private void count(String text) {
        line += (int) text.chars().filter(c -> c == '\n').count();
    }

    private void add(Kind kind, String text) {
        tokens.add(new Token(kind, text, line));
    }

    private InvalidInputException error(String what) {
        return new InvalidInputException("the chat template, line " + line + ": " + what);
    }
}
