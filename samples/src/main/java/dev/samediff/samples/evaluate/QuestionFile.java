package dev.samediff.samples.evaluate;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.GivenFile;
import dev.samediff.adapters.text.batch.PromptTemplate;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.samples.task.EvaluationSet;
import dev.samediff.samples.task.ExactMatch;
import dev.samediff.samples.task.JsonlTask;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A file that a model is measured by.
 *
 * @param set its examples, and what counts as right
 * @param compared in a few words how answers are compared
 * @param problems the programs to be written, of a file of HumanEval; empty otherwise
 */
public record QuestionFile(EvaluationSet set, String compared, List<HumanEval.Problem> problems) {
    public QuestionFile {
        problems = List.copyOf(problems);
    }

    /** Returns whether the answers are programs. */
    public boolean isOfPrograms() {
        return !problems.isEmpty();
    }

    /**
     * Reads a file: what finetune reads, GSM8K ({@code question}, {@code answer}), MATH ({@code problem}, {@code solution}) or HumanEval
     * ({@code task_id}, {@code prompt}, {@code canonical_solution}, {@code test}, {@code entry_point}; also {@code .gz}).
     *
     * @param template words around each prompt
     * @param form where answers stand; if absent, the form that the file's first response has, or the whole response
     * @param chat finds the template of conversations, if the file holds some
     * @throws InvalidInputException if it cannot be used
     * @throws IOException if reading fails
     */
    public static QuestionFile read(
            Path file, Optional<PromptTemplate> template, Optional<AnswerForm> form, Supplier<ChatTemplate> chat)
            throws IOException {
        GivenFile.require(file, "examples: a JSON object per line, or a table (.csv, .tsv)");
        Optional<List<HumanEval.Problem>> programs = HumanEval.read(file);
        if (programs.isPresent()) {
            if (form.isPresent()) {
                throw new InvalidInputException("--answer " + form.get().name() + " is not for " + file
                        + ", whose answers are programs (HumanEval); measure it by itself");
            }
            List<TextExample> examples = programs.get().stream()
                    .map(problem -> new TextExample(problem.prompt(), problem.solution()))
                    .map(example -> template.map(words -> words.apply(example)).orElse(example))
                    .toList();
            String name = String.valueOf(file.getFileName());
            return new QuestionFile(
                    new EvaluationSet(name, examples, ExactMatch.wholeResponse()), "programs", programs.get());
        }
        EvaluationSet read = JsonlTask.evaluation(file, template, chat, ExactMatch.wholeResponse());
        Optional<AnswerForm> used =
                form.or(() -> AnswerForm.of(read.examples().get(0).response()).map(AnswerForm::orKnown));
        EvaluationSet set = used.map(known -> new EvaluationSet(read.name(), read.examples(), known.exactMatch()))
                .orElse(read);
        return new QuestionFile(set, used.map(AnswerForm::name).orElse("whole response"), List.of());
    }
}
