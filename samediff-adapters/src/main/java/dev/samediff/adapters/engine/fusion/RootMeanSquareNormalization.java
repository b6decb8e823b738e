package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.any;

import dev.samediff.adapters.engine.program.Tensor;

/** {@code x / sqrt(mean(x^2) + epsilon)} over the last axis. */
final class RootMeanSquareNormalization implements Form {
    @Override
    public Pattern pattern() {
        return InverseRoot.of(any("x"));
    }

    @Override
    public Tensor result(Match match) {
        return Norms.rootMeanSquare(match.builder(), InverseRoot.epsilon(match), match.get("x"), null);
    }
}
