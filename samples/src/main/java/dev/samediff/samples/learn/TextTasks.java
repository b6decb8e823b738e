package dev.samediff.samples.learn;

import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** The tasks by name. */
public final class TextTasks {
    /** The task that is not here: text that follows a prompt. */
    public static final String LANGUAGE_MODEL = "lm";

    private static final List<TextTask<?>> ALL = List.of(
            new ClassifyTask(), new TagTask(), new RegressTask(), new EmbedTask(), new RespondTask(), new PreferTask());

    private TextTasks() {}

    /** Returns the names, that of language models first. */
    public static String names() {
        return LANGUAGE_MODEL + ", " + ALL.stream().map(TextTask::name).collect(Collectors.joining(", "));
    }

    /**
     * Returns a task.
     *
     * @throws InvalidInputException if there is none of this name
     */
    public static TextTask<?> named(String name) {
        return ALL.stream()
                .filter(task -> task.name().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("there is no task `" + name + "`; there are " + names()));
    }

    /**
     * Returns the task that a Hugging Face folder has a head for: the first one, but {@code regress} where the head has one label.
     *
     * @param model the folder
     */
    public static Optional<String> ofHead(Path model) {
        return ALL.stream()
                .filter(task -> task.ownHead(model)
                        .filter(head ->
                                (head.labels().size() == 1) == task.name().equals(RegressTask.NAME))
                        .isPresent())
                .map(TextTask::name)
                .findFirst();
    }

    /** Returns the names of the tasks that take a setting. */
    public static String taking(TextTask.Setting setting) {
        return ALL.stream()
                .filter(task -> task.settings().contains(setting))
                .map(TextTask::name)
                .collect(Collectors.joining(", "));
    }
}
