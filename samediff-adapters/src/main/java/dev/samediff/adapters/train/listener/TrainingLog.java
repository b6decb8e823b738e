package dev.samediff.adapters.train.listener;

import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingResult;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs evaluations, checkpoints, every so many steps, and what kept steps from being fast. */
public final class TrainingLog implements TrainingListener {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingLog.class);

    private final int every;

    /**
     * Creates the listener.
     *
     * @param every steps between lines, at least 1
     */
    public TrainingLog(int every) {
        this.every = Math.max(1, every);
    }

    @Override
    public void onStep(StepReport report) {
        if (report.step() % every == 0 && LOG.isInfoEnabled()) {
            LOG.info(String.format(
                    Locale.ROOT,
                    "step %d: loss %.4f, penalty %.4g, learning rate %.3g, gradient norm %.3g, %.0f tokens/s",
                    report.step(),
                    report.loss(),
                    report.penalty(),
                    report.learningRate(),
                    report.gradientNorm(),
                    report.tokens() / report.seconds()));
        }
    }

    @Override
    public void onEvaluation(Evaluation evaluation) {
        LOG.info(
                "step {}: evaluation loss {}{}{}",
                evaluation.step(),
                String.format(Locale.ROOT, "%.4f", evaluation.loss()),
                evaluation.metrics().entrySet().stream()
                        .map(each -> String.format(Locale.ROOT, ", %s %.4f", each.getKey(), each.getValue()))
                        .collect(Collectors.joining()),
                evaluation.best() ? " (best)" : "");
    }

    @Override
    public void onCheckpoint(int step, Path directory) {
        LOG.info("step {}: checkpoint {}", step, directory);
    }

    @Override
    public void onExecution(ExecutionReport report) {
        if (report.isNotable()) {
            LOG.info(report.sentence());
        }
    }

    @Override
    public void onEnd(TrainingResult result) {
        LOG.info("{} after {} steps, loss {}", result.reason(), result.steps(), result.finalLoss());
    }
}
