package dev.samediff.samples.cli;

import dev.samediff.adapters.train.Evaluation;
import dev.samediff.samples.finetune.FineTuneTables;
import dev.samediff.samples.learn.TaskRun;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code evaluate}: how good a trained model is. */
@CommandLine.Command(
        name = "evaluate",
        description =
                "Measures a model that finetune has trained for a task other than lm, by the task's loss and metrics.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  samples/run evaluate --run run1 --data test.csv"})
final class EvaluateCommand extends Command {
    @ArgGroup(validate = false, heading = "%nTrained model%n")
    TrainedOptions trained = new TrainedOptions();

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description = "Examples with what is right, as for finetune --train.")
    Path data = Path.of("");

    @ArgGroup(validate = false, heading = "%nExecution%n")
    ExecutionOptions execution = new ExecutionOptions();

    /**
     * Figures for machines.
     *
     * @param task the task
     * @param loss its loss
     * @param labelled how many labels counted, or their weight
     * @param metrics its metrics by name
     */
    record Measured(String task, double loss, double labelled, Map<String, Double> metrics) {}

    @Override
    int run() throws IOException {
        TaskRun<?> model = trained.run();
        Evaluation found = model.evaluate(data, execution.engine());
        TextTable table = new TextTable("", "").row("loss", Numbers.decimal(found.loss()));
        found.metrics()
                .keySet()
                .forEach(name -> table.row(name.replace('_', ' '), FineTuneTables.metric(name, found.metrics())));
        print(
                table.row("labels", Numbers.setting(found.tokens())).render(),
                new Measured(model.task().name(), found.loss(), found.tokens(), found.metrics()));
        return 0;
    }
}
