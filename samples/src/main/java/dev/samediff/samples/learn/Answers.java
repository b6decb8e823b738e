package dev.samediff.samples.learn;

import java.util.List;

/** Answers texts, for people and for machines. */
@FunctionalInterface
public interface Answers {
    /**
     * Answers.
     *
     * @param texts the texts
     * @param top of answers with alternatives: how many, at least 1
     * @return an answer for each
     */
    List<Answer> of(List<String> texts, int top);

    /**
     * An answer.
     *
     * @param text one line or several, without the line break at the end
     * @param json the same as a record
     */
    record Answer(String text, Object json) {}

    /** Returns a text as one cell of a line: without line breaks and tabs. */
    static String cell(String text) {
        return text.replace("\\", "\\\\")
                .replace("\n", "\\n")
                .replace("\r", "\\r")
                .replace("\t", "\\t");
    }
}
