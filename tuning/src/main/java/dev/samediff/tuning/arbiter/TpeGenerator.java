package dev.samediff.tuning.arbiter;

import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import dev.samediff.tuning.tpe.Dimension;
import dev.samediff.tuning.tpe.Observation;
import dev.samediff.tuning.tpe.ParzenEstimator;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.OptimizationResult;
import org.deeplearning4j.arbiter.optimize.generator.BaseCandidateGenerator;

/**
 * Tree-structured Parzen estimator over an {@link ArbiterSpace}: the first ten trials at random, then where good trials were.
 * Pruned trials count as worse than complete ones, the later pruned the better, as in Optuna; failed ones do not count. A
 * parameter that did not exist in a trial says nothing about its value there. Choices have no order, also choices of numbers;
 * ranges of whole numbers have one; logarithmic ranges are searched in their logarithm. All this is as in Optuna, whose
 * {@code suggest_categorical}, {@code suggest_int} and {@code suggest_float} the kinds of {@link Range} are.
 */
public final class TpeGenerator extends BaseCandidateGenerator<ParameterValues> {
    private static final int RANDOM_TRIALS = 10;

    private final ArbiterSpace space;
    private final ParzenEstimator estimator;
    private final List<Scored> scored = new ArrayList<>();
    private SplittableRandom random = new SplittableRandom();

    private record Scored(double[] point, TrialResult result) {}

    /** Creates a generator over a space; it needs a seed to be reproducible. */
    public TpeGenerator(ArbiterSpace space) {
        super(space, null, false);
        initialize();
        this.space = space;
        this.estimator = new ParzenEstimator(space.space().varied().stream()
                .map(parameter -> dimension(parameter.range()))
                .toList());
    }

    private static Dimension dimension(Range range) {
        if (range instanceof Range.Choice choice) {
            return new Dimension.Choice(choice.values().size());
        }
        return range instanceof Range.Integers whole
                ? new Dimension.Whole(1L + whole.high() - whole.low())
                : new Dimension.Continuous();
    }

    @Override
    public void setRngSeed(long seed) {
        random = new SplittableRandom(seed);
    }

    @Override
    public boolean hasMoreCandidates() {
        return true;
    }

    @Override
    public Candidate<ParameterValues> getCandidate() {
        double[] point = scored.size() < RANDOM_TRIALS
                ? random.doubles(space.numParameters()).toArray()
                : estimator.suggest(observations(), random);
        return new Candidate<>(space.getValue(point), candidateCounter.getAndIncrement(), point);
    }

    @Override
    public void reportResults(OptimizationResult result) {
        TrialResult trial = (TrialResult) result.getModelSpecificResults();
        if (trial.state() != TrialState.FAILED && Double.isFinite(trial.score())) {
            scored.add(new Scored(existing(result.getCandidate().getFlatParameters(), trial), trial));
        }
    }

    private double[] existing(double[] point, TrialResult trial) {
        double[] copy = point.clone();
        List<Parameter> varied = space.space().varied();
        for (int i = 0; i < copy.length; i++) {
            if (!trial.parameters().values().containsKey(varied.get(i).name())) {
                copy[i] = Double.NaN;
            }
        }
        return copy;
    }

    /** The oldest first, as they were reported: in the order of their numbers, see {@link OrderedGenerator}. */
    private List<Observation> observations() {
        Comparator<Scored> order = Comparator.<Scored, Boolean>comparing(one -> !one.result.isComplete())
                .thenComparing(one -> one.result.isComplete() ? 0 : -lastStep(one.result))
                .thenComparing(one -> one.result.score());
        Map<Scored, Integer> ranks = new IdentityHashMap<>();
        scored.stream().sorted(order).forEach(one -> ranks.put(one, ranks.size()));
        return scored.stream()
                .map(one -> new Observation(one.point, ranks.getOrDefault(one, 0)))
                .toList();
    }

    private static long lastStep(TrialResult result) {
        return result.curve().last().map(point -> point.step()).orElse(0L);
    }

    @Override
    public Class<?> getCandidateType() {
        return ParameterValues.class;
    }

    @Override
    public String toString() {
        return "TpeGenerator";
    }
}
