package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Writes normalisations of the last axis, which the nodes see as matrices. */
final class Norms {
    private Norms() {}

    /** A layer normalisation of x [...,D] with scale [D] and shift [D], if given. */
    static Tensor layer(
            ProgramBuilder builder, double epsilon, Tensor x, @Nullable Tensor scale, @Nullable Tensor shift) {
        long columns = x.size(-1);
        long rows = x.length() / columns;
        Tensor y = builder.add(
                        new Op.LayerNorm(epsilon, scale != null, shift != null),
                        inputs(builder, x, rows, columns, scale, shift),
                        List.of(DataType.FLOAT, DataType.FLOAT, DataType.FLOAT),
                        List.of(new long[] {rows, columns}, new long[] {rows}, new long[] {rows}))
                .get(0);
        return builder.reshape(y, x.shape());
    }

    /** A root-mean-square normalisation of x [...,D] with scale [D], if given. */
    static Tensor rootMeanSquare(ProgramBuilder builder, double epsilon, Tensor x, @Nullable Tensor scale) {
        long columns = x.size(-1);
        long rows = x.length() / columns;
        Tensor y = builder.add(
                        new Op.RmsNorm(epsilon, scale != null),
                        inputs(builder, x, rows, columns, scale, null),
                        List.of(DataType.FLOAT, DataType.FLOAT),
                        List.of(new long[] {rows, columns}, new long[] {rows}))
                .get(0);
        return builder.reshape(y, x.shape());
    }

    private static List<Tensor> inputs(
            ProgramBuilder builder, Tensor x, long rows, long columns, @Nullable Tensor scale, @Nullable Tensor shift) {
        List<Tensor> inputs = new ArrayList<>(List.of(builder.reshape(x, rows, columns)));
        if (scale != null) {
            inputs.add(builder.reshape(scale, columns));
        }
        if (shift != null) {
            inputs.add(builder.reshape(shift, columns));
        }
        return inputs;
    }

    /** Tells whether a vector has one number for every column of the last axis of a tensor, and nothing else. */
    static boolean isPerColumn(Tensor y, Tensor vector) {
        return y.rank() > 0
                && vector.rank() > 0
                && vector.rank() <= y.rank()
                && vector.length() == y.size(-1)
                && vector.size(-1) == y.size(-1);
    }
}
