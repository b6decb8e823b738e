package dev.samediff.samples.cli;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.text.batch.PromptTemplate;
import dev.samediff.adapters.text.batch.TextRecipe;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.samples.evaluate.AnswerForm;
import dev.samediff.samples.evaluate.FileEvaluation;
import dev.samediff.samples.evaluate.FileScore;
import dev.samediff.samples.evaluate.QuestionFile;
import dev.samediff.samples.finetune.FineTuneTables;
import dev.samediff.samples.learn.TaskRun;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.model.Vocabularies;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code evaluate}: how good a trained model is. */
@CommandLine.Command(
        name = "evaluate",
        description =
                "Measures a model by files. A language model, without and with adapters: loss, perplexity, and the share"
                        + " of answers that are right, with its 95 % interval (Wilson). With --run: a model that finetune has trained"
                        + " for another task, by the task's loss and metrics.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Files are those that finetune reads, and GSM8K (question, answer), MATH (problem, solution) and HumanEval",
            "(task_id, prompt, test, entry_point; also .gz) as they are published.",
            "",
            "Examples:",
            "  samples/run evaluate --data new.jsonl,old.jsonl --adapter run1/adapter",
            "  samples/run evaluate --model llama --tokenizer llama --adapter run1/adapter --data gsm8k/test.jsonl \\",
            "      --prompt sorsa-math --answer 'The answer is' --max-tokens 1024 --eval-count 1319",
            "  samples/run evaluate --run run1 --data test.csv"
        })
final class EvaluateCommand extends Command {
    @Option(
            names = "--run",
            paramLabel = "DIR",
            description = "The folder of a run of finetune with another task than lm.")
    @Nullable
    Path run;

    @ArgGroup(validate = false, heading = "%nModel%n")
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            split = ",",
            description = "A folder of an adapter, measured beside the model without one. May be given several times.")
    List<Path> adapters = new ArrayList<>();

    @Option(
            names = "--data",
            required = true,
            split = ",",
            paramLabel = "FILE",
            description = "Examples with what is right, as for finetune --train. May be given several times.")
    List<Path> data = new ArrayList<>();

    @ArgGroup(validate = false, heading = "%nQuestions and answers (language models)%n")
    QuestionOptions questions = new QuestionOptions();

    @ArgGroup(validate = false, heading = "%nExecution%n")
    ExecutionOptions execution = new ExecutionOptions();

    /**
     * Figures for machines, of another task than lm.
     *
     * @param task the task
     * @param loss its loss
     * @param labelled how many labels counted, or their weight
     * @param metrics its metrics by name
     */
    record Measured(String task, double loss, double labelled, Map<String, Double> metrics) {}

    @Override
    int run() throws IOException {
        if (run != null) {
            trained(run);
        } else {
            languageModel();
        }
        return 0;
    }

    private void trained(Path folder) throws IOException {
        if (!adapters.isEmpty() || questions.isGiven()) {
            throw new InvalidInputException(
                    "--run measures another task than lm, which has no --adapter, --answer, --prompt,"
                            + " --template, --max-tokens and --unsafe-execute; leave them out");
        }
        if (data.size() > 1) {
            throw new InvalidInputException(
                    "--data is given " + data.size() + " times, and --run measures by one file");
        }
        TaskRun<?> task = TaskRun.of(folder, Optional.ofNullable(model.model), Optional.ofNullable(model.tokenizer));
        Evaluation found = task.evaluate(data.get(0), execution.engine());
        TextTable table = new TextTable("", "").row("loss", Numbers.decimal(found.loss()));
        found.metrics()
                .keySet()
                .forEach(name -> table.row(name.replace('_', ' '), FineTuneTables.metric(name, found.metrics())));
        print(
                table.row("labels", Numbers.setting(found.tokens())).render(),
                new Measured(task.task().name(), found.loss(), found.tokens(), found.metrics()));
    }

    private void languageModel() throws IOException {
        FileEvaluation.Asking asking = questions.asking();
        Optional<AnswerForm> form = questions.form();
        Optional<TextRecipe> recipe =
                adapters.isEmpty() ? Optional.empty() : TextRecipe.read(AdapterFolder.placeOf(adapters.get(0)));
        Optional<PromptTemplate> template = questions.template().or(() -> recipe.flatMap(TextRecipe::template));
        List<QuestionFile> files = new ArrayList<>();
        for (Path file : data) {
            files.add(QuestionFile.read(file, template, form, () -> questions.chat.find(model.tokenizer)));
        }
        List<AdapterState> states = new ArrayList<>();
        for (Path adapter : adapters) {
            states.add(AdapterFolder.load(adapter));
        }
        model.prepare(execution);
        LanguageModel loaded = model.load(recipe, Vocabularies.of(states));
        say("model: " + model.describe() + "; " + loaded.framing().sentence());
        if (asking.sandbox().isEmpty() && files.stream().anyMatch(QuestionFile::isOfPrograms)) {
            say(
                    "programs are not run, so that HumanEval is measured by its loss alone; --unsafe-execute runs what the model"
                            + " writes");
        }
        TaskLoss loss = Losses.causalLm(loaded.graph(), loaded.logits());
        List<FileScore> scores = new ArrayList<>(
                new FileEvaluation(loaded, loss, execution.engine(), asking, progress()).measure(files, ""));
        for (int i = 0; i < states.size(); i++) {
            AdaptedModel adapted = AdaptedModel.inject(loaded.imported(), states.get(i));
            LanguageModel behind =
                    loaded.withFraming(loaded.framing().behind(states.get(i).virtualTokens()));
            scores.addAll(new FileEvaluation(behind, loss, execution.engine(), asking, progress())
                    .measure(files, adapters.get(i).toString()));
            adapted.unload();
        }
        print(table(scores).render(), scores);
    }

    private static TextTable table(List<FileScore> scores) {
        TextTable table =
                new TextTable("file", "adapter", "loss", "perplexity", "right", "accuracy", "95 % interval", "by");
        for (FileScore score : scores) {
            boolean asked = score.asked() > 0;
            table.row(
                    score.file(),
                    score.adapter().isEmpty() ? "none" : score.adapter(),
                    Numbers.decimal(score.loss()),
                    Numbers.decimal(score.perplexity(), 3),
                    asked ? score.right() + "/" + score.asked() : "-",
                    Numbers.percent(score.accuracy()),
                    asked ? Numbers.percent(score.accuracyLow()) + " to " + Numbers.percent(score.accuracyHigh()) : "-",
                    asked ? score.compared() : "-");
        }
        return table;
    }
}
