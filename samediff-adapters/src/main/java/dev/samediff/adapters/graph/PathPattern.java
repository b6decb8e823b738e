package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A regular expression over module paths that may come from anybody's file: read as Python's {@code re} reads it
 * (and {@code \Q...\E} as Java does), and compared in a
 * number of steps that is bounded by the product of its length and the path's, up to {@value PatternRun#BUDGET}. What would need more is
 * refused, so no expression hangs and none exhausts the stack. ({@code java.util.regex} promises neither.)
 */
final class PathPattern {
    private static final int LONGEST = 100_000;
    private static final int SHOWN = 120;
    /** Characters of all patterns of a selector together: every one of them is compared with every module. */
    private static final int LONGEST_TOGETHER = 300_000;

    private static final int KEPT = 256;
    private static final int LONGEST_KEPT = 1000;
    /** What was compiled last; a selector compares its expressions with every module of a graph. */
    private static final Map<String, PathPattern> CACHE =
            Collections.synchronizedMap(new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, PathPattern> eldest) {
                    return size() > KEPT;
                }
            });

    private final String regex;
    private final PatternProgram program;
    private final Map<String, Integer> names;
    private final int groups;

    private PathPattern(String regex, PatternProgram program, Map<String, Integer> names, int groups) {
        this.regex = regex;
        this.program = program;
        this.names = names;
        this.groups = groups;
    }

    /**
     * Reads an expression.
     *
     * @throws InvalidInputException if it cannot be read, or is too long
     */
    static PathPattern compile(String regex) {
        PathPattern known = CACHE.get(regex);
        if (known != null) {
            return known;
        }
        PathPattern compiled = compileNew(regex);
        if (compiled.program.instructions().size() <= LONGEST_KEPT) {
            CACHE.put(regex, compiled);
        }
        return compiled;
    }

    /** Refuses patterns that are too long together. */
    static void requireFew(Collection<String> patterns) {
        long length = patterns.stream().mapToLong(String::length).sum();
        if (length > LONGEST_TOGETHER) {
            throw new InvalidInputException("the " + patterns.size() + " patterns have " + length
                    + " characters together; at most " + LONGEST_TOGETHER
                    + " are compared with the modules: let one pattern match several modules");
        }
    }

    /** Java's {@code \Q...\E}, which {@code Pattern.quote} writes and Python does not have, as escaped characters. */
    private static String unquoted(String regex) {
        StringBuilder result = new StringBuilder();
        for (int at = 0; at < regex.length(); ) {
            if (regex.startsWith("\\Q", at)) {
                int end = regex.indexOf("\\E", at + 2);
                String literal = regex.substring(at + 2, end < 0 ? regex.length() : end);
                literal.chars()
                        .forEach(c -> result.append(c < 128 && !Character.isLetterOrDigit(c) ? "\\" : "")
                                .append((char) c));
                at = end < 0 ? regex.length() : end + 2;
            } else {
                int length = regex.charAt(at) == '\\' ? Math.min(2, regex.length() - at) : 1;
                result.append(regex, at, at + length);
                at += length;
            }
        }
        return result.toString();
    }

    private static PathPattern compileNew(String regex) {
        if (regex.length() > LONGEST) {
            throw new InvalidInputException("the regular expression `" + shown(regex) + "` has " + regex.length()
                    + " characters; at most " + LONGEST + " are read: name the modules in a list");
        }
        PatternParser parser = new PatternParser(unquoted(regex));
        try {
            return new PathPattern(regex, PatternProgram.of(parser.parse()), parser.names(), parser.groups());
        } catch (PatternParser.Unreadable e) {
            throw new InvalidInputException(
                    "the regular expression `" + shown(regex) + "` cannot be read: " + e.getMessage()
                            + "; correct it (expressions are those of Python's re)",
                    e);
        } catch (PatternProgram.TooLong e) {
            throw new InvalidInputException(
                    "the regular expression `" + shown(regex)
                            + "` is too large with its repetitions written out (more than " + PatternProgram.LONGEST
                            + " steps); write it with fewer or smaller repetitions",
                    e);
        }
    }

    /** Returns whether the whole path matches, as {@code re.fullmatch} does. */
    boolean matches(String path) {
        try {
            return new PatternRun(path, groups).matchesAll(program);
        } catch (PatternRun.TooMuch e) {
            throw tooMuch(path, e);
        }
    }

    /** Returns the text of a named group where the beginning of the path matches, as {@code re.match} does. */
    Optional<String> find(String path, String group) {
        try {
            PatternRun run = new PatternRun(path, groups);
            return run.matchesBeginning(program)
                    ? Optional.of(run.group(names.getOrDefault(group, 0)))
                    : Optional.empty();
        } catch (PatternRun.TooMuch e) {
            throw tooMuch(path, e);
        }
    }

    private InvalidInputException tooMuch(String path, Exception cause) {
        return new InvalidInputException(
                "the regular expression `" + shown(regex) + "` needs more than " + PatternRun.BUDGET
                        + " steps to be compared with the module `" + shown(path)
                        + "`; write it without repetitions within repetitions, or name the modules in a list",
                cause);
    }

    private static String shown(String text) {
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "... (" + text.length() + " characters)";
    }
}
