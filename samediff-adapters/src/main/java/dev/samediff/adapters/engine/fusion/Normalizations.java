package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Shapes;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Recognises layer normalisation and root-mean-square normalisation of the last axis written in single steps, by the
 * product or quotient that completes them, and then the scale and the shift behind them.
 */
public final class Normalizations {
    private static final double TOLERANCE = 1e-5;
    private static final double[] POINTS = {1e-4, 3e-3, 0.07, 0.9, 4.2, 310};

    private final ProgramBuilder builder;
    private final ScalarFunctions functions;

    public Normalizations(ProgramBuilder builder, ScalarFunctions functions) {
        this.builder = builder;
        this.functions = functions;
    }

    @Nullable
    public Tensor recognize(BinaryKind kind, Tensor a, Tensor b) {
        return switch (kind) {
            case MULTIPLY -> firstOf(normalized(a, b, false), normalized(b, a, false), scaled(a, b), scaled(b, a));
            case DIVIDE -> normalized(a, b, true);
            case ADD -> firstOf(shifted(a, b), shifted(b, a));
            default -> null;
        };
    }

    private static @Nullable Tensor firstOf(@Nullable Tensor... candidates) {
        for (Tensor candidate : candidates) {
            if (candidate != null) {
                return candidate;
            }
        }
        return null;
    }

    /** {@code x} times, or through, a root of the mean of its squares; a centred x makes it a layer normalisation. */
    private @Nullable Tensor normalized(Tensor x, Tensor factor, boolean divided) {
        ScalarFunctions.Function root = functions.of(factor);
        Node mean = builder.producer(root.root());
        if (mean == null || !isMeanOfLastAxis(mean) || root.steps() == 0) {
            return null;
        }
        Node square = builder.producer(mean.input(0));
        if (square == null
                || !(square.op() instanceof Op.Unary unary && unary.kind() == UnaryKind.SQUARE)
                || square.input(0) != x) {
            return null;
        }
        OptionalDouble epsilon = epsilon(root, divided);
        if (epsilon.isEmpty()) {
            return null;
        }
        Tensor centred = centredOf(x);
        return centred == null
                ? rmsNorm(epsilon.getAsDouble(), x, null)
                : layerNorm(epsilon.getAsDouble(), centred, null, null);
    }

    /** Returns z if {@code x = z - mean(z)}. */
    private @Nullable Tensor centredOf(Tensor x) {
        Node difference = builder.producer(x);
        if (difference == null
                || !(difference.op() instanceof Op.Binary binary)
                || binary.kind() != BinaryKind.SUBTRACT) {
            return null;
        }
        Node mean = builder.producer(difference.input(1));
        boolean centred = mean != null && isMeanOfLastAxis(mean) && mean.input(0) == difference.input(0);
        return centred ? difference.input(0) : null;
    }

    private static boolean isMeanOfLastAxis(Node node) {
        Tensor x = node.inputs().isEmpty() ? node.output() : node.input(0);
        return node.op() instanceof Op.Reduce reduce
                && reduce.kind() == ReduceKind.MEAN
                && node.output().hasShape(Shapes.with(x.shape(), x.rank() - 1, 1));
    }

    /** Finds epsilon of {@code sqrt(v + epsilon)} or its inverse. */
    private static OptionalDouble epsilon(ScalarFunctions.Function f, boolean divided) {
        double atZero = divided ? f.at(0) : 1 / f.at(0);
        double epsilon = atZero * atZero;
        if (!(epsilon >= 0) || epsilon > 0.1) {
            return OptionalDouble.empty();
        }
        for (double v : POINTS) {
            double expected = Math.sqrt(v + epsilon);
            double actual = divided ? f.at(v) : 1 / f.at(v);
            if (!(Math.abs(actual - expected) <= TOLERANCE * expected)) {
                return OptionalDouble.empty();
            }
        }
        return OptionalDouble.of(epsilon);
    }

    private @Nullable Tensor scaled(Tensor y, Tensor scale) {
        Node node = behindReshape(y);
        if (node == null || !isPerColumn(y, scale)) {
            return null;
        }
        if (node.op() instanceof Op.LayerNorm norm && !norm.scale() && !norm.shift()) {
            return builder.reshape(layerNorm(norm.epsilon(), node.input(0), scale, null), y.shape());
        }
        if (node.op() instanceof Op.RmsNorm norm && !norm.scale()) {
            return builder.reshape(rmsNorm(norm.epsilon(), node.input(0), scale), y.shape());
        }
        return null;
    }

    private @Nullable Tensor shifted(Tensor y, Tensor shift) {
        Node node = behindReshape(y);
        if (node == null
                || !(node.op() instanceof Op.LayerNorm norm)
                || !norm.scale()
                || norm.shift()
                || !isPerColumn(y, shift)) {
            return null;
        }
        return builder.reshape(layerNorm(norm.epsilon(), node.input(0), node.input(1), shift), y.shape());
    }

    private @Nullable Node behindReshape(Tensor tensor) {
        Node node = builder.producer(tensor);
        if (node != null && node.op() instanceof Op.Reshape) {
            node = builder.producer(node.input(0));
        }
        return node;
    }

    private static boolean isPerColumn(Tensor y, Tensor vector) {
        return y.rank() > 0
                && vector.rank() > 0
                && vector.length() == y.size(-1)
                && vector.size(-1) == y.size(-1)
                && vector.rank() <= y.rank();
    }

    private Tensor layerNorm(double epsilon, Tensor x, @Nullable Tensor scale, @Nullable Tensor shift) {
        long columns = x.size(-1);
        long rows = x.length() / columns;
        List<Tensor> inputs = new ArrayList<>(List.of(builder.reshape(x, rows, columns)));
        if (scale != null) {
            inputs.add(builder.reshape(scale, columns));
        }
        if (shift != null) {
            inputs.add(builder.reshape(shift, columns));
        }
        Tensor y = builder.add(
                        new Op.LayerNorm(epsilon, scale != null, shift != null),
                        inputs,
                        List.of(DataType.FLOAT, DataType.FLOAT, DataType.FLOAT),
                        List.of(new long[] {rows, columns}, new long[] {rows}, new long[] {rows}))
                .get(0);
        return builder.reshape(y, x.shape());
    }

    private Tensor rmsNorm(double epsilon, Tensor x, @Nullable Tensor scale) {
        long columns = x.size(-1);
        long rows = x.length() / columns;
        List<Tensor> inputs = new ArrayList<>(List.of(builder.reshape(x, rows, columns)));
        if (scale != null) {
            inputs.add(builder.reshape(scale, columns));
        }
        Tensor y = builder.add(
                        new Op.RmsNorm(epsilon, scale != null),
                        inputs,
                        List.of(DataType.FLOAT, DataType.FLOAT),
                        List.of(new long[] {rows, columns}, new long[] {rows}))
                .get(0);
        return builder.reshape(y, x.shape());
    }
}
