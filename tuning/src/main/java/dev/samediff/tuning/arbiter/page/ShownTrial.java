package dev.samediff.tuning.arbiter.page;

import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.space.ParameterValues;
import java.util.List;
import org.deeplearning4j.arbiter.optimize.runner.CandidateStatus;
import org.deeplearning4j.arbiter.ui.data.ModelInfoPersistable;
import org.jspecify.annotations.Nullable;

/**
 * A trial as the page shows it.
 *
 * @param index its number
 * @param parameters what it tries
 * @param status how it stands; a pruned trial is {@code Cancelled}
 * @param score its score; null while there is none
 * @param seconds its duration
 * @param curve what it reported
 * @param error why it failed; empty if it did not
 */
record ShownTrial(
        int index,
        ParameterValues parameters,
        CandidateStatus status,
        @Nullable Double score,
        double seconds,
        LearningCurve curve,
        String error) {
    /** Returns the page's record of it. Its time is now: the page reads anew only what is later than all it has. */
    ModelInfoPersistable onPage(String session) {
        long now = System.currentTimeMillis();
        List<LearningCurve.Point> points = curve.points();
        int[] steps = new int[points.size()];
        float[] values = new float[points.size()];
        for (int i = 0; i < steps.length; i++) {
            steps[i] = (int) Math.min(Integer.MAX_VALUE, points.get(i).step());
            values[i] = (float) points.get(i).value();
        }
        ModelInfoPersistable.Builder page = new ModelInfoPersistable.Builder();
        page.timestamp(now);
        page.sessionId(session);
        return page.workerId(Integer.toString(index))
                .modelIdx(index)
                .score(score)
                .status(status)
                .lastUpdateTime(now + Math.round(1000 * seconds)) // of which the page shows the difference
                .totalNumUpdates(steps.length == 0 ? 0 : steps[steps.length - 1])
                .paramSpaceValues(new double[] {index})
                .scoreVsIter(steps.length == 0 ? null : steps, steps.length == 0 ? null : values)
                .modelConfigJson(parameters.toString())
                .exceptionStackTrace(error.isEmpty() ? null : error)
                .build();
    }
}
