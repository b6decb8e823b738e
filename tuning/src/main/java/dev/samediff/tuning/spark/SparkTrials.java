package dev.samediff.tuning.spark;

import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.TrialExecutor;
import dev.samediff.tuning.TrialFactory;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Runs each trial as a job of one Spark task. A sweep with these trials has the same results as a local one: a task gets
 * everything that a trial depends on, and the journal stays with the driver. Spark runs a task again when its executor is
 * lost; when a job fails all the same, it is submitted again as often as the trial has retries.
 */
public final class SparkTrials implements TrialExecutor, AutoCloseable {
    private final JavaSparkContext context;
    private final TrialFactory factory;

    private SparkTrials(JavaSparkContext context, TrialFactory factory) {
        this.context = context;
        this.factory = factory;
    }

    /**
     * Connects to Spark.
     *
     * @param master such as {@code local[2]}, {@code local-cluster[2,1,1024]} or {@code spark://host:7077}
     * @param threads threads of each trial
     * @param factory makes the trial where it runs
     * @throws dev.samediff.adapters.InvalidInputException if this JVM cannot run Spark
     */
    public static SparkTrials connect(String master, int threads, TrialFactory factory) {
        return new SparkTrials(SparkConnection.open(master, threads, "samediff-adapters sweep"), factory);
    }

    @Override
    public TrialResult execute(TrialSpec spec, Consumer<LearningCurve.Point> reports) {
        long start = System.nanoTime();
        String reason = "";
        for (int attempt = 0; attempt <= spec.retries(); attempt++) {
            try {
                return context.parallelize(List.of(spec), 1)
                        .map(new TrialTask(factory))
                        .collect()
                        .get(0);
            } catch (RuntimeException e) { // SparkException is unchecked here, whatever it is declared as
                reason = "the Spark job failed: " + e.getMessage();
            } catch (Exception e) {
                reason = "the Spark job failed: " + e;
            }
        }
        TrialResult failed = TrialResult.notRun(spec.index(), spec.parameters(), reason);
        return new TrialResult(
                failed.index(),
                failed.parameters(),
                failed.state(),
                failed.score(),
                (System.nanoTime() - start) / 1e9,
                spec.retries() + 1,
                failed.curve(),
                failed.error());
    }

    @Override
    public void close() {
        context.close();
    }
}
