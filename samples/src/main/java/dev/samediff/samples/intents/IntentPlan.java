package dev.samediff.samples.intents;

import dev.samediff.adapters.InvalidInputException;

/**
 * How the networks of the comparison are trained.
 *
 * @param rank rank of the adapters
 * @param pretraining epochs on the known intents
 * @param epochs epochs on the new ones
 * @param batch sentences per step
 * @param learningRate of the adapters
 * @param fullLearningRate of everything that trains whole weights
 * @param seed seed of weights, order and starts
 */
public record IntentPlan(
        int rank, int pretraining, int epochs, int batch, double learningRate, double fullLearningRate, long seed) {
    public IntentPlan {
        require(rank > 0, "rank", rank);
        require(pretraining > 0, "number of pretraining epochs", pretraining);
        require(epochs > 0, "number of epochs", epochs);
        require(batch > 0, "batch size", batch);
        require(learningRate > 0, "learning rate", learningRate);
        require(fullLearningRate > 0, "learning rate of whole weights", fullLearningRate);
    }

    private static void require(boolean positive, String what, Number value) {
        if (!positive) {
            throw new InvalidInputException("the " + what + " is " + value + "; it must be positive");
        }
    }
}
