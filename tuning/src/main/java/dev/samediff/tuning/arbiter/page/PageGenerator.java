package dev.samediff.tuning.arbiter.page;

import dev.samediff.tuning.space.ParameterValues;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.deeplearning4j.arbiter.optimize.api.OptimizationResult;
import org.deeplearning4j.arbiter.optimize.api.ParameterSpace;

/** Where the page looks for the space; the sweep's candidates come from another generator. */
record PageGenerator(PageSpace space) implements CandidateGenerator {
    @Override
    public boolean hasMoreCandidates() {
        return false;
    }

    @Override
    public Candidate<?> getCandidate() {
        throw new IllegalStateException("the page's generator has no candidates; the sweep has its own");
    }

    @Override
    public void reportResults(OptimizationResult result) {
        // it learns nothing
    }

    @Override
    public ParameterSpace<?> getParameterSpace() {
        return space;
    }

    @Override
    public void setRngSeed(long seed) {
        // nothing is random
    }

    @Override
    public Class<?> getCandidateType() {
        return ParameterValues.class;
    }
}
