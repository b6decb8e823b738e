package dev.samediff.samples.evaluate;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.samples.finetune.Evaluator;
import dev.samediff.samples.finetune.Measurement;
import dev.samediff.samples.finetune.Sample;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.output.Progress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Measures a language model, as its graph is now, by files. */
public final class FileEvaluation {
    private final LanguageModel model;
    private final TaskLoss loss;
    private final EngineOptions options;
    private final Asking asking;
    private final Progress.Factory progress;

    /**
     * How questions are asked.
     *
     * @param prompts most prompts of a file that are answered; 0 for losses alone
     * @param maxTokens most tokens of an answer; if absent, a quarter more than the longest expected one has
     * @param sandbox runs programs; without one, problems of HumanEval are not answered
     */
    public record Asking(int prompts, OptionalInt maxTokens, Optional<Sandbox> sandbox) {}

    /**
     * Prepares the measurement.
     *
     * @param model the model
     * @param loss the task loss in its graph
     */
    public FileEvaluation(
            LanguageModel model, TaskLoss loss, EngineOptions options, Asking asking, Progress.Factory progress) {
        this.model = model;
        this.loss = loss;
        this.options = options;
        this.asking = asking;
        this.progress = progress;
    }

    /**
     * Measures.
     *
     * @param adapter name of the adapter that acts; empty for none
     * @throws IOException if a program cannot be run
     */
    public List<FileScore> measure(List<QuestionFile> files, String adapter) throws IOException {
        List<FileScore> scores = new ArrayList<>();
        try (Engine engine = Engines.open(model.graph(), loss.loss(), List.of(), options)) {
            Evaluator evaluator = new Evaluator(model, engine, options, loss);
            asking.maxTokens().ifPresent(evaluator::writeAtMost);
            for (QuestionFile file : files) {
                boolean programs = !file.problems().isEmpty();
                int prompts = programs && asking.sandbox().isEmpty() ? 0 : asking.prompts();
                Measurement found = evaluator.measure(file.set(), prompts, progress);
                List<Sample> answers = found.samples();
                int right = programs
                        ? passing(file, answers)
                        : (int) answers.stream().filter(Sample::right).count();
                scores.add(FileScore.of(file, adapter, found.loss(), answers.size(), right));
            }
        }
        return scores;
    }

    private int passing(QuestionFile file, List<Sample> answers) throws IOException {
        int passing = 0;
        try (Progress bar = progress.start("run programs", answers.size())) {
            for (int i = 0; i < answers.size(); i++) {
                String program = file.problems().get(i).program(answers.get(i).written());
                passing += asking.sandbox().orElseThrow().passes(program) ? 1 : 0;
                bar.at(i + 1, "");
            }
        }
        return passing;
    }
}
