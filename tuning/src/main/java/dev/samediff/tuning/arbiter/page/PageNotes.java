package dev.samediff.tuning.arbiter.page;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.arbiter.optimize.api.OptimizationResult;
import org.deeplearning4j.arbiter.optimize.api.data.DataProvider;
import org.deeplearning4j.arbiter.optimize.api.saving.ResultReference;
import org.deeplearning4j.arbiter.optimize.api.saving.ResultSaver;
import org.deeplearning4j.arbiter.optimize.api.termination.TerminationCondition;
import org.deeplearning4j.arbiter.optimize.runner.IOptimizationRunner;

/** Parts of Arbiter's configuration that the page shows by their {@code toString}, and that a sweep does not have. */
final class PageNotes {
    private PageNotes() {}

    /** Trials bring their own data. */
    static final class Data implements DataProvider {
        private static final long serialVersionUID = 1L;

        @Override
        public Object trainData(Map<String, Object> parameters) {
            throw new IllegalStateException("trials bring their own training data");
        }

        @Override
        public Object testData(Map<String, Object> parameters) {
            throw new IllegalStateException("trials bring their own evaluation data");
        }

        @Override
        public Class<?> getDataType() {
            return Object.class;
        }

        @Override
        public String toString() {
            return "each trial's own";
        }
    }

    /** The journal keeps results. */
    static final class Saver implements ResultSaver {
        @Override
        public ResultReference saveModel(OptimizationResult result, Object model) {
            throw new IllegalStateException("the journal keeps results, and no models");
        }

        @Override
        public List<Class<?>> getSupportedCandidateTypes() {
            return List.of();
        }

        @Override
        public List<Class<?>> getSupportedModelTypes() {
            return List.of();
        }

        @Override
        public String toString() {
            return "journal.jsonl";
        }
    }

    /** The planned number of trials. */
    record Trials(int planned) implements TerminationCondition {
        @Override
        public void initialize(IOptimizationRunner runner) {
            // nothing to prepare
        }

        @Override
        public boolean terminate(IOptimizationRunner runner) {
            return false; // the sweep knows when it is done
        }

        @Override
        public String toString() {
            return planned + " trials, or an exhausted grid";
        }
    }
}
