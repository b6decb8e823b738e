package dev.samediff.samples.task;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.PromptTemplate;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.jsonl.ChatExamples;
import dev.samediff.adapters.text.jsonl.ChatRows;
import dev.samediff.adapters.text.jsonl.JsonlExamples;
import dev.samediff.adapters.text.jsonl.Learnable;
import dev.samediff.adapters.text.jsonl.TextExample;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

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
     * @param chat finds the template of conversations, if the file holds some
     * @throws InvalidInputException if a file cannot be read or holds too little
     */
    public static Task read(
            Path train, Optional<Path> evaluation, Optional<PromptTemplate> template, Supplier<ChatTemplate> chat) {
        if (!ChatRows.areIn(train)) {
            return read(
                    train,
                    evaluation,
                    file -> examples(file, template),
                    examples -> examples,
                    examples -> examples,
                    Optional.empty());
        }
        if (template.isPresent()) {
            throw new InvalidInputException("--template is for prompts, and " + train
                    + " holds conversations, which a chat template frames; leave it out");
        }
        ChatTemplate used = chat.get();
        return read(
                train,
                evaluation,
                ChatRows::read,
                talks -> ChatExamples.whole(talks, used),
                talks -> ChatExamples.of(talks, used),
                Optional.of(used));
    }

    /**
     * Reads what is learned, and what is measured by: of conversations each answer, as it is asked for.
     *
     * @param learned makes what is learned of lines
     * @param asked makes what is measured of lines
     */
    private static <T> Task read(
            Path train,
            Optional<Path> evaluation,
            Function<Path, List<T>> reader,
            Function<List<T>, List<? extends Learnable>> learned,
            Function<List<T>, List<TextExample>> asked,
            Optional<ChatTemplate> chat) {
        List<T> all = reader.apply(train);
        if (evaluation.isPresent()) {
            List<TextExample> held = asked.apply(reader.apply(evaluation.get()));
            return task(train, learned.apply(all), named(evaluation.get()), held, chat);
        }
        if (all.size() < 2) {
            throw new InvalidInputException(train + " has " + all.size() + " example; at least two are needed, one of"
                    + " them for the evaluation, or give --eval");
        }
        int stride = Math.max(Math.min(HELD_OUT_PART, all.size()), all.size() / MOST_HELD_OUT);
        List<TextExample> held = asked.apply(every(all, stride, true));
        return task(train, learned.apply(every(all, stride, false)), "held-out", held, chat);
    }

    private static Task task(
            Path train,
            List<? extends Learnable> learned,
            String name,
            List<TextExample> held,
            Optional<ChatTemplate> chat) {
        return new Task(
                named(train) + ": " + learned.size() + " examples, " + held.size() + " to evaluate",
                learned,
                List.of(new EvaluationSet(name, held, ExactMatch.wholeResponse())),
                chat);
    }

    private static List<TextExample> examples(Path file, Optional<PromptTemplate> template) {
        List<TextExample> examples = JsonlExamples.read(file);
        return template.map(words -> examples.stream().map(words::apply).toList())
                .orElse(examples);
    }

    /** Returns the last of every {@code stride} examples, or all the others. */
    private static <T> List<T> every(List<T> all, int stride, boolean last) {
        return java.util.stream.IntStream.range(0, all.size())
                .filter(i -> (i % stride == stride - 1) == last)
                .mapToObj(all::get)
                .toList();
    }

    private static String named(Path file) {
        return String.valueOf(file.getFileName());
    }
}
