package dev.samediff.importer.lowering;

import dev.samediff.adapters.InvalidInputException;
import java.util.Set;
import java.util.TreeMap;

/** All ONNX operators that can be imported. */
public final class Operators {
    private static final TreeMap<String, OpLowering> ALL = new TreeMap<>();

    static {
        Elementwise.register(ALL);
        Logic.register(ALL);
        Casting.register(ALL);
        Activations.register(ALL);
        MatMuls.register(ALL);
        Einsum.register(ALL);
        Normalisation.register(ALL);
        Reductions.register(ALL);
        Shapes.register(ALL);
        Joining.register(ALL);
        Slicing.register(ALL);
        Indexing.register(ALL);
        Creation.register(ALL);
        Convolutions.register(ALL);
        Pooling.register(ALL);
        Padding.register(ALL);
        Gathering.register(ALL);
        Scattering.register(ALL);
        Selection.register(ALL);
        Ranking.register(ALL);
        Composed.register(ALL);
        ComposedNormalisation.register(ALL);
        ScaledAttention.register(ALL);
        FusedAttention.register(ALL);
        FusedLayers.register(ALL);
        Rotation.register(ALL);
    }

    private Operators() {}

    /** Returns the names of the operators, with their domain in front unless it is ONNX's own. */
    public static Set<String> names() {
        return ALL.keySet();
    }

    static OpLowering of(String operator) {
        OpLowering lowering = ALL.get(operator);
        if (lowering == null) {
            throw new InvalidInputException("operator " + operator + " cannot be imported");
        }
        return lowering;
    }
}
