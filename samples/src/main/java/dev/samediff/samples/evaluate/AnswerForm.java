package dev.samediff.samples.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.output.Json;
import dev.samediff.samples.task.ExactMatch;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/**
 * Where the answer stands in a text. What the model wrote is looked at for one form, or for several until one is found; the
 * last answer of a text counts.
 *
 * @param name the form as it is asked for
 * @param finder returns the answer of a text, if there is one
 */
public record AnswerForm(String name, Function<String, Optional<String>> finder) {
    private static final String MARK = "####";
    private static final String REGEX = "regex:";
    private static final String JSON = "json:";
    private static final Pattern SAID = Pattern.compile("(?i)the answer is:?\\s*((?:(?!the answer is)[^\\n])*)");

    /** GSM8K's: behind the last {@code ####}, to the end of its line. */
    public static final AnswerForm HASHES = new AnswerForm(MARK, AnswerForm::behindHashes);

    /** MATH's: within the last {@code \boxed{...}} or {@code \fbox{...}}. */
    public static final AnswerForm BOXED = new AnswerForm("boxed", AnswerForm::boxed);

    /** MetaMath's: behind the last "The answer is" or "The answer is:", to the end of the sentence. */
    public static final AnswerForm SENTENCE = new AnswerForm("The answer is", AnswerForm::said);

    private static final List<AnswerForm> KNOWN = List.of(HASHES, BOXED, SENTENCE);

    /**
     * Returns the form of a name.
     *
     * @param name {@code ####}, {@code boxed}, {@code The answer is}, {@code regex:PATTERN} (its first group, or all of it) or {@code
     *     json:FIELD} ({@code a.b} is b within a)
     * @throws InvalidInputException if it is none of them
     */
    public static AnswerForm named(String name) {
        if (name.startsWith(REGEX)) {
            return regex(name);
        }
        if (name.startsWith(JSON) && name.length() > JSON.length()) {
            String path = "/" + name.substring(JSON.length()).replace('.', '/');
            return new AnswerForm(name, text -> field(text, path));
        }
        return KNOWN.stream()
                .filter(form -> form.name.equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("--answer " + name
                        + " is not possible; give ####, boxed, 'The answer is', regex:PATTERN or json:FIELD"));
    }

    /** Returns the answer of a text, without blanks around it. */
    public Optional<String> find(String text) {
        return finder.apply(text).map(String::strip).filter(answer -> !answer.isEmpty());
    }

    /**
     * Returns what counts as right: the answer that the model wrote in this form is that of the expected text, which may have it in this
     * form, in another known one, or be nothing but the answer.
     */
    public ExactMatch exactMatch() {
        return (written, expected) -> find(written)
                .filter(answer -> SameAnswer.of(answer, expected(expected)))
                .isPresent();
    }

    private String expected(String text) {
        return Stream.concat(Stream.of(this), KNOWN.stream())
                .flatMap(form -> form.find(text).stream())
                .findFirst()
                .orElse(text.strip());
    }

    /** Returns the form in which a text has its answer, if it is a known one. */
    static Optional<AnswerForm> of(String text) {
        return KNOWN.stream().filter(form -> form.find(text).isPresent()).findFirst();
    }

    /** Returns the answer in this form or else in another known one: models are asked in words that files do not use. */
    AnswerForm orKnown() {
        return new AnswerForm(
                name,
                text -> Stream.concat(Stream.of(this), KNOWN.stream())
                        .flatMap(form -> form.find(text).stream())
                        .findFirst());
    }

    private static AnswerForm regex(String name) {
        Pattern pattern;
        try {
            pattern = Pattern.compile(name.substring(REGEX.length()));
        } catch (PatternSyntaxException e) {
            throw new InvalidInputException("--answer " + name + " is no regular expression: " + e.getDescription(), e);
        }
        return new AnswerForm(name, text -> last(pattern, text));
    }

    private static Optional<String> last(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        Optional<String> found = Optional.empty();
        while (matcher.find()) {
            found = Optional.ofNullable(matcher.groupCount() > 0 ? matcher.group(1) : matcher.group());
        }
        return found;
    }

    private static Optional<String> behindHashes(String text) {
        int mark = text.lastIndexOf(MARK);
        return mark < 0
                ? Optional.empty()
                : text.substring(mark + MARK.length()).lines().findFirst();
    }

    private static Optional<String> said(String text) {
        return last(SAID, text).map(answer -> {
            int end = answer.indexOf(". ");
            String sentence = (end < 0 ? answer : answer.substring(0, end)).strip();
            return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
        });
    }

    private static Optional<String> boxed(String text) {
        int start = Math.max(text.lastIndexOf("\\boxed"), text.lastIndexOf("\\fbox"));
        if (start < 0) {
            return Optional.empty();
        }
        int open = text.indexOf('{', start);
        int blank = text.indexOf(' ', start);
        if (open < 0 || (blank >= 0 && blank < open)) { // \boxed 7
            String behind = text.substring(start).replaceFirst("^\\\\(boxed|fbox)\\s*", "");
            return Stream.of(behind.split("[\\s$]", 2)).findFirst();
        }
        int depth = 0;
        for (int i = open; i < text.length(); i++) {
            depth += text.charAt(i) == '{' ? 1 : text.charAt(i) == '}' ? -1 : 0;
            if (depth == 0) {
                return Optional.of(text.substring(open + 1, i));
            }
        }
        return Optional.empty(); // cut off
    }

    /** The field of the last JSON object of a text: from a brace to the last brace. */
    private static Optional<String> field(String text, String path) {
        int end = text.lastIndexOf('}');
        for (int start = text.lastIndexOf('{', end); start >= 0 && end >= 0; start = text.lastIndexOf('{', start - 1)) {
            try {
                JsonNode value = Json.parse(text.substring(start, end + 1)).at(path);
                if (value.isValueNode() && !value.isNull()) {
                    return Optional.of(value.asText());
                }
            } catch (IllegalArgumentException e) {
                continue; // an inner brace; the object begins further to the left
            }
            if (start == 0) {
                break;
            }
        }
        return Optional.empty();
    }

    @Override
    public String toString() {
        return name.toLowerCase(Locale.ROOT);
    }
}
