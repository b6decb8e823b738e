package dev.samediff.samples.task;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.FileState;
import dev.samediff.adapters.io.GivenFile;
import dev.samediff.adapters.text.batch.PromptTemplate;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.jsonl.BrokenLines;
import dev.samediff.adapters.text.jsonl.ChatExamples;
import dev.samediff.adapters.text.jsonl.ChatRows;
import dev.samediff.adapters.text.jsonl.JsonlExamples;
import dev.samediff.adapters.text.jsonl.Learnable;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.adapters.text.table.CsvRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** A job given by files of JSON lines, or tables. */
public final class JsonlTask {
    private static final int HELD_OUT_PART = 20;
    private static final int MOST_HELD_OUT = 500;

    private JsonlTask() {}

    /**
     * Reads the task.
     *
     * @param train file to learn from
     * @param evaluations files to measure by, the first of which the training aims at; if there are none, every 20th training example is
     *     held out for it (500 at most)
     * @param template words around each prompt
     * @param chat finds the template of conversations, if the file holds some
     * @param exactMatch what counts as right
     * @throws InvalidInputException if a file cannot be read or holds too little
     */
    public static Task read(
            Path train,
            List<Path> evaluations,
            Optional<PromptTemplate> template,
            Supplier<ChatTemplate> chat,
            ExactMatch exactMatch) {
        GivenFile.require(train, "examples: a JSON object per line, or a table (.csv, .tsv)");
        List<EvaluationSet> sets = new ArrayList<>();
        for (Path file : evaluations) {
            GivenFile.require(file, "examples to measure by: a JSON object per line, or a table (.csv, .tsv)");
            EvaluationSet set = evaluation(file, template, chat, exactMatch);
            boolean taken = sets.stream().anyMatch(other -> other.name().equals(set.name()));
            sets.add(taken ? new EvaluationSet(file.toString(), set.examples(), exactMatch) : set);
        }
        FileState state = FileState.of(train);
        if (!isChat(train)) {
            return read(state, sets, new Prompts(template), Optional.empty(), exactMatch);
        }
        if (template.isPresent()) {
            throw new InvalidInputException("--template is for prompts, and " + train
                    + " holds conversations, which a chat template frames; leave it out");
        }
        ChatTemplate used = chat.get();
        return read(state, sets, new Talks(used), Optional.of(used), exactMatch);
    }

    /**
     * Reads a file to measure by.
     *
     * @param file the file
     * @param template words around each prompt; conversations have none
     * @param chat finds the template of conversations, if the file holds some
     * @param exactMatch what counts as right
     * @throws InvalidInputException if the file cannot be read
     */
    public static EvaluationSet evaluation(
            Path file, Optional<PromptTemplate> template, Supplier<ChatTemplate> chat, ExactMatch exactMatch) {
        List<TextExample> examples = new ArrayList<>();
        Lines<?> lines = isChat(file) ? new Talks(chat.get()) : new Prompts(template);
        readAll(file, lines, examples);
        return new EvaluationSet(named(file), examples, exactMatch);
    }

    private static boolean isChat(Path file) {
        return !CsvRows.isTable(file) && ChatRows.areIn(file);
    }

    private static <T> void readAll(Path file, Lines<T> lines, List<TextExample> into) {
        each(file, lines, (line, number) -> into.addAll(lines.asked(line, number)));
    }

    /** Lines of a file, as what is learned and as what is measured by. */
    private interface Lines<T> {
        void read(Path file, Consumer<T> sink);

        List<? extends Learnable> learned(T line, int number);

        List<TextExample> asked(T line, int number);
    }

    private record Prompts(Optional<PromptTemplate> template) implements Lines<TextExample> {
        @Override
        public void read(Path file, Consumer<TextExample> sink) {
            JsonlExamples.read(file, Optional.empty(), BrokenLines.REFUSE, sink);
        }

        @Override
        public List<TextExample> learned(TextExample line, int number) {
            return List.of(template.map(words -> words.apply(line)).orElse(line));
        }

        @Override
        public List<TextExample> asked(TextExample line, int number) {
            return learned(line, number);
        }
    }

    private record Talks(ChatTemplate template) implements Lines<List<ChatMessage>> {
        @Override
        public void read(Path file, Consumer<List<ChatMessage>> sink) {
            ChatRows.read(file, sink);
        }

        @Override
        public List<Learnable> learned(List<ChatMessage> line, int number) {
            return ChatExamples.whole(line, template, number);
        }

        @Override
        public List<TextExample> asked(List<ChatMessage> line, int number) {
            return ChatExamples.of(line, template, number);
        }
    }

    /** Reads what is measured by, and counts what is learned, which is read again when it is encoded. */
    private static <T> Task read(
            FileState state,
            List<EvaluationSet> given,
            Lines<T> lines,
            Optional<ChatTemplate> chat,
            ExactMatch exactMatch) {
        int stride = given.isEmpty() ? stride(state.file(), lines) : Integer.MAX_VALUE;
        List<TextExample> held = new ArrayList<>();
        TrainingFile train = new TrainingFile(
                state,
                sink -> each(state.file(), lines, (line, number) -> {
                    if (!isHeldOut(number, stride)) {
                        lines.learned(line, number).forEach(sink);
                    }
                }));
        int[] learned = {0};
        train.read(example -> learned[0]++);
        if (given.isEmpty()) {
            each(state.file(), lines, (line, number) -> {
                if (isHeldOut(number, stride)) {
                    held.addAll(lines.asked(line, number));
                }
            });
        }
        List<EvaluationSet> sets = given.isEmpty() ? List.of(new EvaluationSet("held-out", held, exactMatch)) : given;
        String counts = sets.stream()
                .map(set -> Integer.toString(set.examples().size()))
                .collect(Collectors.joining(" + "));
        return new Task(
                named(state.file()) + ": " + learned[0] + " examples, " + counts + " to evaluate", train, sets, chat);
    }

    /** Every 20th, and not much more than 500; the last of each group. */
    private static <T> int stride(Path train, Lines<T> lines) {
        int[] count = {0};
        lines.read(train, line -> count[0]++);
        if (count[0] < 2) {
            throw new InvalidInputException(train + " has " + count[0] + " example; at least two are needed, one of"
                    + " them for the evaluation, or give --eval");
        }
        return Math.max(Math.min(HELD_OUT_PART, count[0]), count[0] / MOST_HELD_OUT);
    }

    private static boolean isHeldOut(int number, int stride) {
        return number % stride == stride - 1;
    }

    private static <T> void each(Path file, Lines<T> lines, ObjIntConsumer<T> sink) {
        int[] number = {0};
        lines.read(file, line -> sink.accept(line, number[0]++));
    }

    private static String named(Path file) {
        return String.valueOf(file.getFileName());
    }
}
