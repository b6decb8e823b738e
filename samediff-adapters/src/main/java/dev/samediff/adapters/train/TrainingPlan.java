package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.train.optimizer.Schedule;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * How to train. Either {@code steps} or {@code epochs} is given, the other is 0; everything else has a default, see
 * {@link #builder()}.
 *
 * @param steps number of parameter updates
 * @param epochs passes over the training data
 * @param learningRate peak learning rate, eta_max
 * @param schedule course of the learning rate
 * @param warmupSteps updates over which it rises from 0
 * @param weightDecay decoupled weight decay of AdamW; 0 as in the Hugging Face trainer (torch's own default is 0.01)
 * @param beta1 AdamW's decay of the mean gradient
 * @param beta2 AdamW's decay of the mean squared gradient
 * @param epsilon AdamW's epsilon
 * @param clipNorm largest norm of all gradients together (torch's {@code clip_grad_norm_}); 0 switches clipping off
 * @param clipPenalty whether the penalty's gradient is part of the clipped norm; otherwise it is added after clipping,
 *     as the SORSA authors' trainer does
 * @param accumulation batches per update; gradients are weighted by their labelled tokens, so that 2 batches of 8 equal
 *     1 of 16
 * @param evaluateEvery updates between evaluations besides those at the start and the end; 0 for none
 * @param patience evaluations without improvement after which training stops; 0 for never
 * @param minDelta by how much a smaller evaluation loss counts as an improvement
 * @param restoreBest whether the parameters of the best evaluation are put back at the end
 * @param checkpointEvery updates between checkpoints; 0 for none
 * @param checkpointDirectory where checkpoints are kept
 * @param checkpointsKept how many of the newest are kept
 * @param seed seed of all random numbers drawn in the graph
 * @param engine how steps are executed
 * @param learningRates tensors whose learning rate is another
 * @param neftune NEFTune's alpha: noise on the embeddings of tokens while training; 0 for none
 * @param updater one of ND4J's updaters instead of AdamW, or null; its learning rate and schedule are the plan's, its other settings its own
 * @param subspace the part of the weights that AdamW's updates change ({@link GaLore}, {@link Lisa}), or null for all
 */
public record TrainingPlan(
        int steps,
        int epochs,
        double learningRate,
        Schedule schedule,
        int warmupSteps,
        double weightDecay,
        double beta1,
        double beta2,
        double epsilon,
        double clipNorm,
        boolean clipPenalty,
        int accumulation,
        int evaluateEvery,
        int patience,
        double minDelta,
        boolean restoreBest,
        int checkpointEvery,
        @Nullable Path checkpointDirectory,
        int checkpointsKept,
        long seed,
        EngineOptions engine,
        LearningRates learningRates,
        double neftune,
        @Nullable IUpdater updater,
        @Nullable Subspace subspace) {
    public TrainingPlan {
        check(
                steps >= 0 && epochs >= 0 && (steps > 0) != (epochs > 0),
                "steps / epochs",
                steps + " / " + epochs,
                "exactly one of them above 0");
        check(learningRate > 0 && Double.isFinite(learningRate), "learning rate", learningRate, "a number above 0");
        check(warmupSteps >= 0, "warm-up steps", warmupSteps, "0 or more");
        check(steps == 0 || warmupSteps <= steps, "warm-up steps", warmupSteps, "at most the " + steps + " steps");
        check(weightDecay >= 0 && Double.isFinite(weightDecay), "weight decay", weightDecay, "0 or more");
        check(beta1 >= 0 && beta1 < 1, "beta1", beta1, "from 0 up to, but not, 1");
        check(beta2 >= 0 && beta2 < 1, "beta2", beta2, "from 0 up to, but not, 1");
        check(epsilon > 0 && Double.isFinite(epsilon), "epsilon", epsilon, "a number above 0");
        check(clipNorm >= 0 && Double.isFinite(clipNorm), "clipping norm", clipNorm, "0 (off) or more");
        check(neftune >= 0 && Double.isFinite(neftune), "NEFTune alpha", neftune, "0 (off) or more, such as 5");
        check(accumulation >= 1, "accumulation", accumulation, "1 or more batches");
        check(evaluateEvery >= 0, "evaluation interval", evaluateEvery, "0 (start and end only) or more steps");
        check(patience >= 0, "patience", patience, "0 (never stop early) or more evaluations");
        check(minDelta >= 0, "smallest improvement", minDelta, "0 or more");
        check(checkpointEvery >= 0, "checkpoint interval", checkpointEvery, "0 (none) or more steps");
        check(
                checkpointEvery == 0 || checkpointDirectory != null,
                "checkpoint directory",
                checkpointDirectory,
                "a directory, because checkpoints are asked for every " + checkpointEvery + " steps");
        check(
                subspace == null || updater == null,
                "rule " + subspace,
                "beside the updater "
                        + (updater == null ? "" : updater.getClass().getSimpleName()),
                "one of the two, because the rule is for AdamW");
        check(checkpointsKept >= 1, "number of checkpoints kept", checkpointsKept, "1 or more");
    }

    private static void check(boolean valid, String name, @Nullable Object value, String expected) {
        if (!valid) {
            throw new InvalidInputException("the training plan's " + name + " is " + value + "; expected " + expected);
        }
    }

    /** Returns eta_max. */
    public double peak() {
        return learningRate;
    }

    /**
     * Returns the learning rate of an update.
     *
     * @param step updates made before it
     * @param total updates of the whole training
     */
    public double learningRate(int step, int total) {
        return learningRate * schedule.multiplier(step, warmupSteps, total);
    }

    /** Returns the parts that decide the result, as text; where checkpoints are kept is not among them. */
    public Map<String, String> description() {
        Map<String, String> parts = new LinkedHashMap<>();
        parts.put("steps", Integer.toString(steps));
        parts.put("epochs", Integer.toString(epochs));
        parts.put("learning rate", Double.toString(learningRate));
        parts.put("schedule", schedule.toString());
        parts.put("warm-up steps", Integer.toString(warmupSteps));
        parts.put("weight decay", Double.toString(weightDecay));
        parts.put("beta1", Double.toString(beta1));
        parts.put("beta2", Double.toString(beta2));
        parts.put("epsilon", Double.toString(epsilon));
        parts.put("clipping norm", Double.toString(clipNorm));
        parts.put("clipping of the penalty", Boolean.toString(clipPenalty));
        parts.put("accumulation", Integer.toString(accumulation));
        parts.put("evaluation interval", Integer.toString(evaluateEvery));
        parts.put("patience", Integer.toString(patience));
        parts.put("smallest improvement", Double.toString(minDelta));
        parts.put("restoring of the best", Boolean.toString(restoreBest));
        parts.put("seed", Long.toString(seed));
        parts.put("precision", engine.precision().toString());
        parts.putAll(learningRates.description());
        if (neftune > 0) { // checkpoints of earlier builds do not say
            parts.put("NEFTune alpha", Double.toString(neftune));
        }
        if (updater != null) {
            parts.put("updater", described(updater));
        }
        if (subspace != null) {
            parts.put("subspace", subspace.toString());
        }
        return parts;
    }

    /** The updater's settings, with the rate that it has nothing to say about left out. */
    private static String described(IUpdater updater) {
        IUpdater copy = updater.clone();
        if (copy.hasLearningRate()) {
            copy.setLrAndSchedule(1, null);
        }
        return copy.toString();
    }

    /**
     * Returns a builder with the defaults: learning rate 1e-3, constant, no warm-up, betas 0.9 and 0.999, epsilon 1e-8,
     * no weight decay, clipping at 1, no accumulation, 2 checkpoints kept, seed 0, the compiled engine in float32.
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects the parts of a plan; every method has the name and meaning of the component. */
    public static final class Builder {
        private int steps;
        private int epochs;
        private double learningRate = 1e-3;
        private Schedule schedule = Schedule.CONSTANT;
        private int warmupSteps;
        private double weightDecay;
        private double beta1 = 0.9;
        private double beta2 = 0.999;
        private double epsilon = 1e-8;
        private double clipNorm = 1;
        private boolean clipPenalty;
        private int accumulation = 1;
        private int evaluateEvery;
        private int patience;
        private double minDelta;
        private boolean restoreBest;
        private int checkpointEvery;
        private @Nullable Path checkpointDirectory;
        private int checkpointsKept = 2;
        private long seed;
        private EngineOptions engine = EngineOptions.defaults();
        private LearningRates learningRates = LearningRates.SAME;
        private double neftune;
        private @Nullable IUpdater updater;
        private @Nullable Subspace subspace;

        private Builder() {}

        /** Number of parameter updates. */
        public Builder steps(int value) {
            steps = value;
            return this;
        }

        /** Passes over the training data. */
        public Builder epochs(int value) {
            epochs = value;
            return this;
        }

        /** Peak learning rate. */
        public Builder learningRate(double value) {
            learningRate = value;
            return this;
        }

        /** Course of the learning rate. */
        public Builder schedule(Schedule value) {
            schedule = value;
            return this;
        }

        /** Updates over which the learning rate rises from 0. */
        public Builder warmupSteps(int value) {
            warmupSteps = value;
            return this;
        }

        /** Decoupled weight decay. */
        public Builder weightDecay(double value) {
            weightDecay = value;
            return this;
        }

        /** AdamW's two decays. */
        public Builder betas(double first, double second) {
            beta1 = first;
            beta2 = second;
            return this;
        }

        /** AdamW's epsilon. */
        public Builder epsilon(double value) {
            epsilon = value;
            return this;
        }

        /** Largest global gradient norm; 0 for no clipping. */
        public Builder clipNorm(double value) {
            clipNorm = value;
            return this;
        }

        /** Whether the penalty's gradient is clipped too. */
        public Builder clipPenalty(boolean value) {
            clipPenalty = value;
            return this;
        }

        /** Batches per update. */
        public Builder accumulation(int value) {
            accumulation = value;
            return this;
        }

        /** Updates between evaluations. */
        public Builder evaluateEvery(int value) {
            evaluateEvery = value;
            return this;
        }

        /** Stops after this many evaluations that are not better than the best by {@code minDelta}. */
        public Builder earlyStopping(int patience, double minDelta) {
            this.patience = patience;
            this.minDelta = minDelta;
            return this;
        }

        /** Whether the best parameters are put back at the end. */
        public Builder restoreBest(boolean value) {
            restoreBest = value;
            return this;
        }

        /** Writes a checkpoint into a directory after every so many updates. */
        public Builder checkpoints(Path directory, int every) {
            checkpointDirectory = directory;
            checkpointEvery = every;
            return this;
        }

        /** Number of newest checkpoints kept. */
        public Builder checkpointsKept(int value) {
            checkpointsKept = value;
            return this;
        }

        /** Seed of random numbers drawn in the graph. */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /** How steps are executed. */
        public Builder engine(EngineOptions value) {
            engine = value;
            return this;
        }

        /** Learning rates of groups of tensors. */
        public Builder learningRates(LearningRates value) {
            learningRates = value;
            return this;
        }

        /** LoRA+: the learning rate of B, and of vectors, by that of A, such as 16. */
        public Builder loraPlus(double ratio) {
            learningRates = learningRates.withLoraPlus(ratio);
            return this;
        }

        /** The peak learning rate of tensors by a pattern of their names, {@code *} being any characters. */
        public Builder learningRateOf(String pattern, double value) {
            learningRates = learningRates.with(pattern, value);
            return this;
        }

        /** NEFTune: noise on the embeddings of tokens, uniform in +-alpha / sqrt(length width), such as 5; 0 for none. */
        public Builder neftune(double alpha) {
            neftune = alpha;
            return this;
        }

        /** One of ND4J's updaters, such as {@code new Sgd()} or {@code new RmsProp()}; null for AdamW. */
        public Builder updater(@Nullable IUpdater value) {
            updater = value;
            return this;
        }

        /** Changes a part of the weights only: {@link GaLore} or {@link Lisa}; null for all. */
        public Builder subspace(@Nullable Subspace value) {
            subspace = value;
            return this;
        }

        /**
         * Returns the plan.
         *
         * @throws InvalidInputException if a part is out of range
         */
        public TrainingPlan build() {
            return new TrainingPlan(
                    steps,
                    epochs,
                    learningRate,
                    schedule,
                    warmupSteps,
                    weightDecay,
                    beta1,
                    beta2,
                    epsilon,
                    clipNorm,
                    clipPenalty,
                    accumulation,
                    evaluateEvery,
                    patience,
                    minDelta,
                    restoreBest,
                    checkpointEvery,
                    checkpointDirectory,
                    checkpointsKept,
                    seed,
                    engine,
                    learningRates,
                    neftune,
                    updater,
                    subspace);
        }
    }
}
