package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.LearningRates;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.optimizer.Schedule;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How to train. */
final class TrainingOptions {
    private static final String ADAMW = "adamw";
    private static final int DEFAULT_STEPS = 200;
    private static final Map<String, Supplier<IUpdater>> UPDATERS = Map.of(
            "adam", Adam::new,
            "sgd", Sgd::new,
            "nesterovs", Nesterovs::new,
            "rmsprop", RmsProp::new,
            "adagrad", AdaGrad::new,
            "adadelta", AdaDelta::new,
            "adamax", AdaMax::new,
            "nadam", Nadam::new);

    @Option(
            names = "--lr",
            paramLabel = "ETA",
            defaultValue = "3e-3",
            description = "Peak learning rate. Default: ${DEFAULT-VALUE}.")
    double learningRate = 3e-3;

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            defaultValue = "cosine",
            description = "Course of the learning rate: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    Schedule schedule = Schedule.COSINE;

    @Option(
            names = "--warmup",
            paramLabel = "N",
            defaultValue = "-1",
            description = "Steps over which the learning rate rises. Default: a twentieth of the steps.")
    int warmup = -1;

    @Option(
            names = "--weight-decay",
            paramLabel = "D",
            defaultValue = "0",
            description = "Decoupled weight decay. Default: ${DEFAULT-VALUE}.")
    double weightDecay;

    @Option(
            names = "--clip",
            paramLabel = "NORM",
            defaultValue = "1",
            description = "Largest norm of all gradients together; 0 for no limit. Default: ${DEFAULT-VALUE}.")
    double clip = 1;

    @Option(names = "--steps", paramLabel = "N", description = "Parameter updates. Default: 200, without --epochs.")
    @Nullable
    Integer steps;

    @Option(names = "--epochs", paramLabel = "N", description = "Passes over the training data, instead of --steps.")
    @Nullable
    Integer epochs;

    @Option(
            names = "--lora-plus",
            paramLabel = "RATIO",
            defaultValue = "1",
            description = "LoRA+: learning rate of B, and of vectors, by that of A, such as 16. Default:"
                    + " ${DEFAULT-VALUE}.")
    double loraPlus = 1;

    @Option(
            names = "--lr-of",
            paramLabel = "NAME=ETA,...",
            description =
                    "Peak learning rates of other tensors: patterns of their names, * being any characters, such as"
                            + " *.up_proj.*=1e-4; 0 keeps them.")
    @Nullable
    String learningRatesOf;

    @Option(
            names = "--optimizer",
            paramLabel = "NAME",
            defaultValue = "adamw",
            description = "adamw, or one of ND4J's: adam, sgd, nesterovs, rmsprop, adagrad, adadelta, adamax, nadam."
                    + " Default: ${DEFAULT-VALUE}.")
    String optimizer = ADAMW;

    @Option(
            names = "--betas",
            paramLabel = "B1,B2",
            split = ",",
            description = "AdamW's decays of the mean of gradients and of their squares. Default: 0.9,0.999.")
    double @Nullable [] betas;

    @Option(names = "--epsilon", paramLabel = "E", description = "AdamW's epsilon. Default: 1e-8.")
    @Nullable
    Double epsilon;

    @Option(
            names = "--clip-penalty",
            description =
                    "Clip the gradient of the penalty (sorsa) with that of the loss, instead of adding it afterwards.")
    boolean clipPenalty;

    @Option(
            names = "--neftune",
            paramLabel = "ALPHA",
            defaultValue = "0",
            description = "NEFTune: noise on the embeddings of tokens while training, such as 5. Default: no noise.")
    double neftune;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "16",
            description = "Examples per batch. Default: ${DEFAULT-VALUE}.")
    int batch = 16;

    @Option(
            names = "--accumulate",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "Batches per update; 2 batches of 8 equal 1 of 16, in less memory. Default: ${DEFAULT-VALUE}.")
    int accumulate = 1;

    @Option(
            names = "--eval-every",
            paramLabel = "N",
            defaultValue = "-1",
            description = "Steps between evaluations; 0: only at start and end. Default: an eighth of the steps.")
    int evalEvery = -1;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of adapters, data order and stories. Default: ${DEFAULT-VALUE}.")
    long seed = 1;

    @ArgGroup(validate = false)
    StoppingOptions stopping = new StoppingOptions();

    @ArgGroup(validate = false, heading = "%nExecution%n")
    ExecutionOptions execution = new ExecutionOptions();

    /** Returns the plan without checkpoints; with --epochs, of a number of steps that is not known yet: see {@link #plan(int)}. */
    TrainingPlan.Builder plan() {
        return plan(steps());
    }

    /** Returns the plan of so many steps. */
    TrainingPlan.Builder plan(int total) {
        requireAtLeast("--warmup", warmup);
        requireAtLeast("--eval-every", evalEvery);
        TrainingPlan.Builder plan = TrainingPlan.builder();
        adamW(plan);
        return stopping.addTo(plan)
                .steps(total)
                .learningRate(learningRate)
                .schedule(schedule)
                .warmupSteps(warmup < 0 ? total / 20 : warmup)
                .weightDecay(weightDecay)
                .clipNorm(clip)
                .clipPenalty(clipPenalty)
                .accumulation(accumulate)
                .evaluateEvery(evalEvery < 0 ? Math.max(1, total / 8) : evalEvery)
                .seed(seed)
                .learningRates(learningRates())
                .neftune(neftune)
                .updater(updater())
                .engine(execution.engine());
    }

    /** Refuses what is AdamW's for other optimizers, which would leave it out without a word. */
    private void adamW(TrainingPlan.Builder plan) {
        if (!optimizer.equalsIgnoreCase(ADAMW) && (betas != null || epsilon != null)) {
            throw new InvalidInputException((betas != null ? "--betas" : "--epsilon") + " is of adamw, and --optimizer "
                    + optimizer + " has its own; leave one of them out");
        }
        double[] pair = betas;
        if (pair != null) {
            if (pair.length != 2) {
                throw new InvalidInputException("--betas has " + pair.length + " numbers; give two, such as 0.9,0.999");
            }
            plan.betas(pair[0], pair[1]);
        }
        if (epsilon != null) {
            plan.epsilon(epsilon);
        }
    }

    /** Returns the updates, as far as they are known before the data. */
    int steps() {
        if (epochs == null) {
            return steps == null ? DEFAULT_STEPS : steps;
        }
        if (steps != null) {
            throw new InvalidInputException(
                    "--steps " + steps + " and --epochs " + epochs + " both say how long to train; give one of them");
        }
        if (epochs < 1) {
            throw new InvalidInputException("--epochs " + epochs + " is not possible; give 1 or more");
        }
        return Math.max(1, warmup);
    }

    /** Refuses --epochs where there is no file of examples to pass over. */
    void requireSteps(String why) {
        if (epochs != null) {
            throw new InvalidInputException("--epochs " + epochs + " is not possible " + why + "; give --steps");
        }
    }

    /** Returns the values of options that depend on others. */
    Map<String, String> defaults() {
        return epochs == null ? Map.of("--steps", Integer.toString(steps())) : Map.of();
    }

    private LearningRates learningRates() {
        LearningRates rates = LearningRates.SAME.withLoraPlus(loraPlus);
        if (learningRatesOf != null) {
            Map<String, Double> all = TargetOptions.pattern("--lr-of", learningRatesOf, Double::valueOf);
            for (Map.Entry<String, Double> each : all.entrySet()) {
                rates = rates.with(each.getKey(), each.getValue());
            }
        }
        return rates;
    }

    private @Nullable IUpdater updater() {
        String name = optimizer.toLowerCase(Locale.ROOT);
        if (name.equals(ADAMW)) {
            return null;
        }
        Supplier<IUpdater> known = UPDATERS.get(name);
        if (known == null) {
            throw new InvalidInputException("--optimizer " + optimizer + " is not known; there are adamw, "
                    + String.join(", ", new TreeSet<>(UPDATERS.keySet())));
        }
        return known.get();
    }

    /** -1 is the default; less was meant to be something else. */
    private static void requireAtLeast(String option, int value) {
        if (value < -1) {
            throw new InvalidInputException(option + " " + value + " is not possible; give 0 or more steps");
        }
    }

    /** Returns how many different examples the training will see at most. */
    int examplesSeen() {
        return examplesSeen(batch);
    }

    /** The same with other batches. */
    int examplesSeen(int perBatch) {
        return (int) Math.min(Integer.MAX_VALUE, (long) steps() * perBatch * accumulate);
    }
}
