package dev.samediff.adapters.text.generation;

import java.util.Optional;

/** Finds logits that no token can be chosen by. */
final class LogitsCheck {
    /** What a user can do about them. */
    static final String ADVICE =
            "its weights, or an adapter's, are damaged or of a training that diverged, or a mask left nothing";

    private LogitsCheck() {}

    /**
     * What is wrong.
     *
     * @param kind such as {@code NaN logits}
     * @param where such as {@code token 3}
     */
    record Fault(String kind, String where) {}

    /** Returns what is wrong with logits; empty if a token can be chosen by them. */
    static Optional<Fault> fault(float... logits) {
        boolean possible = false;
        for (int id = 0; id < logits.length; id++) {
            if (!(logits[id] < Float.POSITIVE_INFINITY)) {
                return Optional.of(new Fault(logits[id] + " logits", "token " + id));
            }
            possible |= logits[id] > Float.NEGATIVE_INFINITY;
        }
        return possible
                ? Optional.empty()
                : Optional.of(new Fault("-Infinity as every one of " + logits.length + " logits", "all tokens"));
    }

    /**
     * Refuses them.
     *
     * @throws NonFiniteLogitsException that says what is wrong with them
     */
    static void require(float... logits) {
        fault(logits).ifPresent(fault -> {
            throw new NonFiniteLogitsException(
                    "no token can be chosen: the model gave " + fault.kind() + " (" + fault.where() + "); " + ADVICE);
        });
    }
}
