package dev.samediff.tuning;

/**
 * What is tried with each set of parameters. May be run by several threads at the same time.
 *
 * <pre>{@code
 * Trial trial = context -> {
 *     double eta = context.parameters().number("eta").orElseThrow();
 *     for (int step = 10; step <= 100; step += 10) {
 *         double loss = ...;
 *         context.report(step, loss);
 *         context.stopIfHopeless();
 *     }
 *     return loss;
 * };
 * }</pre>
 */
@FunctionalInterface
public interface Trial {
    /**
     * Runs one trial.
     *
     * @param context its parameters, seed and threads; takes reports
     * @return the score, lower is better
     * @throws Exception any failure; the trial is then tried again or journalled as failed
     */
    double run(TrialContext context) throws Exception;
}
