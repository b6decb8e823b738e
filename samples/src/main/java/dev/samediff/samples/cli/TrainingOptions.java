package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.optimizer.Schedule;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How to train. */
final class TrainingOptions {
    @Option(
            names = "--lr",
            paramLabel = "ETA",
            defaultValue = "3e-3",
            description = "Peak learning rate of AdamW. Default: ${DEFAULT-VALUE}.")
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
            description = "Steps over which the learning rate rises. Default: a twentieth of --steps.")
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

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "200",
            description = "Parameter updates. Default: ${DEFAULT-VALUE}.")
    int steps = 200;

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
            description = "Steps between evaluations; 0: only at start and end. Default: an eighth of --steps.")
    int evalEvery = -1;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of adapters, data order and stories. Default: ${DEFAULT-VALUE}.")
    long seed = 1;

    @ArgGroup(validate = false, heading = "%nExecution%n")
    ExecutionOptions execution = new ExecutionOptions();

    /** Returns the plan without checkpoints and early stopping. */
    TrainingPlan.Builder plan() {
        requireAtLeast("--warmup", warmup);
        requireAtLeast("--eval-every", evalEvery);
        return TrainingPlan.builder()
                .steps(steps)
                .learningRate(learningRate)
                .schedule(schedule)
                .warmupSteps(warmup < 0 ? steps / 20 : warmup)
                .weightDecay(weightDecay)
                .clipNorm(clip)
                .accumulation(accumulate)
                .evaluateEvery(evalEvery < 0 ? Math.max(1, steps / 8) : evalEvery)
                .seed(seed)
                .engine(execution.engine());
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
        return (int) Math.min(Integer.MAX_VALUE, (long) steps * perBatch * accumulate);
    }
}
