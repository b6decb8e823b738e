package dev.samediff.tuning;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.NonFiniteException;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs trials in this process, each attempt in a thread of its own, so that nothing that belongs to a thread (ND4J's random
 * numbers, workspaces, interruption) passes from one trial to the next.
 */
public final class LocalTrials implements TrialExecutor {
    /** How long a trial may go on after it was told to stop. */
    static final Duration GRACE = Duration.ofSeconds(10);

    private final Trial trial;
    private final Duration grace;

    /** Creates an executor of this trial. */
    public LocalTrials(Trial trial) {
        this(trial, GRACE);
    }

    LocalTrials(Trial trial, Duration grace) {
        this.trial = trial;
        this.grace = grace;
    }

    @Override
    public TrialResult execute(TrialSpec spec, Consumer<LearningCurve.Point> reports) {
        long start = System.nanoTime();
        int attempts = 0;
        Attempt attempt;
        do {
            attempt = new Attempt(spec, reports);
            attempts++;
        } while (attempt.run() instanceof Failure failure && failure.mayPass() && attempts <= spec.retries());
        return attempt.result(attempts, (System.nanoTime() - start) / 1e9);
    }

    private sealed interface Outcome {}

    private record Score(double value) implements Outcome {}

    private record Pruned() implements Outcome {}

    private record Failure(String reason, boolean mayPass) implements Outcome {}

    private final class Attempt {
        private final TrialSpec spec;
        private final TrialContext context;
        private volatile @Nullable Outcome outcome;

        Attempt(TrialSpec spec, Consumer<LearningCurve.Point> reports) {
            this.spec = spec;
            this.context = new TrialContext(spec, reports);
        }

        Outcome run() {
            Thread thread = new Thread(() -> outcome = attempt(), "trial-" + spec.index());
            thread.setDaemon(true);
            thread.start();
            try {
                thread.join(spec.limit().toMillis());
                if (thread.isAlive()) {
                    context.endTime();
                    thread.interrupt();
                    thread.join(grace.toMillis());
                }
            } catch (InterruptedException e) {
                context.endTime();
                thread.interrupt();
                Thread.currentThread().interrupt();
                Failure interrupted = new Failure("the sweep was interrupted", false);
                outcome = interrupted;
                return interrupted;
            }
            Outcome reached = outcome;
            if (reached == null) {
                reached = new Failure(
                        "it took longer than " + spec.limit() + " and did not stop " + grace
                                + " after it was told to; its thread `" + thread.getName()
                                + "` is left behind: call report or stopIfTimeIsOver in the trial",
                        false);
                outcome = reached;
            }
            return reached;
        }

        private Outcome attempt() {
            try {
                Nd4j.getRandom().setSeed(spec.seed());
                double score = trial.run(context);
                context.stopIfTimeIsOver();
                return Double.isFinite(score) ? new Score(score) : new Failure("its score is " + score, false);
            } catch (TrialStopped stopped) {
                return stopped.isPruned() ? new Pruned() : new Failure(stopped.getMessage() + "", false);
            } catch (InterruptedException e) {
                return new Failure("it took longer than " + spec.limit() + " and was interrupted", false);
            } catch (InvalidInputException | ArithmeticException | NonFiniteException e) {
                return new Failure(e.getMessage() + "", false); // the same the next time
            } catch (Throwable e) { // errors too: one trial must not end the others
                return new Failure(e.getClass().getSimpleName() + ": " + e.getMessage(), true);
            }
        }

        TrialResult result(int attempts, double seconds) {
            LearningCurve curve = context.curve();
            if (outcome instanceof Score score) {
                return result(TrialState.COMPLETE, score.value(), seconds, attempts, curve, "");
            }
            if (outcome instanceof Pruned) {
                double last = curve.last().map(LearningCurve.Point::value).orElse(Double.NaN);
                return result(TrialState.PRUNED, last, seconds, attempts, curve, "");
            }
            String reason = outcome instanceof Failure failure ? failure.reason() : "it did not run";
            return result(TrialState.FAILED, Double.NaN, seconds, attempts, curve, reason);
        }

        private TrialResult result(
                TrialState state, double score, double seconds, int attempts, LearningCurve curve, String error) {
            return new TrialResult(spec.index(), spec.parameters(), state, score, seconds, attempts, curve, error);
        }
    }
}
