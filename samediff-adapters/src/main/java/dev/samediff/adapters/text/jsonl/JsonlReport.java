package dev.samediff.adapters.text.jsonl;

import java.nio.file.Path;
import java.util.List;

/**
 * What reading a JSONL file came to.
 *
 * @param file the file
 * @param lines lines in it, blank ones included
 * @param examples usable lines
 * @param skipped broken lines that were left out
 * @param problems sentences about the first broken lines, at most {@value #KEPT_PROBLEMS}
 */
public record JsonlReport(Path file, long lines, long examples, long skipped, List<String> problems) {
    /** How many broken lines are described. */
    public static final int KEPT_PROBLEMS = 20;

    public JsonlReport {
        problems = List.copyOf(problems);
    }

    /** One line for logs. */
    public String summary() {
        return file + ": " + examples + " examples in " + lines + " lines"
                + (skipped == 0 ? "" : ", " + skipped + " broken lines left out, the first: " + problems.get(0));
    }
}
