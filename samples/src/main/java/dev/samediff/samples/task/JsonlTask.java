package dev.samediff.samples.task;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.PromptTemplate;
import dev.samediff.adapters.text.jsonl.JsonlExamples;
import dev.samediff.adapters.text.jsonl.TextExample;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A job given by JSONL files. */
public final class JsonlTask {
    private static final int HELD_OUT_PART = 20;
    private static final int MOST_HELD_OUT = 500;

    private JsonlTask() {}

    /**
     * Reads the task.
     *
     * @param train file to learn from
     * @param evaluation file to measure by; if absent, every 20th training example is held out for it (500 at most)
     * @param template words around each prompt
     * @throws InvalidInputException if a file cannot be read or holds too little
     */
    public static Task read(Path train, Optional<Path> evaluation, Optional<PromptTemplate> template) {
        List<TextExample> all = examples(train, template);
        if (evaluation.isPresent()) {
            List<TextExample> held = examples(evaluation.get(), template);
            return task(train, all, named(evaluation.get()), held);
        }
        if (all.size() < 2) {
            throw new InvalidInputException(train + " has " + all.size() + " example; at least two are needed, one of"
                    + " them for the evaluation, or give --eval");
        }
        int stride = Math.max(Math.min(HELD_OUT_PART, all.size()), all.size() / MOST_HELD_OUT);
        List<TextExample> held = every(all, stride, true);
        return task(train, every(all, stride, false), "held-out", held);
    }

    private static Task task(Path train, List<TextExample> learned, String name, List<TextExample> held) {
        return new Task(
                named(train) + ": " + learned.size() + " examples, " + held.size() + " to evaluate",
                learned,
                List.of(new EvaluationSet(name, held, ExactMatch.wholeResponse())));
    }

    private static List<TextExample> examples(Path file, Optional<PromptTemplate> template) {
        List<TextExample> examples = JsonlExamples.read(file);
        return template.map(words -> examples.stream().map(words::apply).toList())
                .orElse(examples);
    }

    /** Returns the last of every {@code stride} examples, or all the others. */
    private static List<TextExample> every(List<TextExample> all, int stride, boolean last) {
        return java.util.stream.IntStream.range(0, all.size())
                .filter(i -> (i % stride == stride - 1) == last)
                .mapToObj(all::get)
                .toList();
    }

    private static String named(Path file) {
        return String.valueOf(file.getFileName());
    }
}
