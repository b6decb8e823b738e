package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.Pattern.any;
import static dev.samediff.adapters.engine.fusion.Pattern.binary;
import static dev.samediff.adapters.engine.fusion.Pattern.ofLastAxis;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Tensor;

/**
 * {@code c / sqrt(mean(c^2) + epsilon)} with {@code c = z - mean(z)}, over the last axis: a layer normalisation, to which
 * {@link NormalizationScale} and {@link NormalizationShift} add the rest.
 */
final class LayerNormalization implements Form {
    private static final Pattern CENTRED = binary(BinaryKind.SUBTRACT, any("z"), ofLastAxis(ReduceKind.MEAN, any("z")))
            .as("x");

    @Override
    public Pattern pattern() {
        return InverseRoot.of(CENTRED);
    }

    @Override
    public Tensor result(Match match) {
        return Norms.layer(match.builder(), InverseRoot.epsilon(match), match.get("z"), null, null);
    }
}
