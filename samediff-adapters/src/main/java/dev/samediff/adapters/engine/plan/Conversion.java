package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.nd4j.Dense;
import java.lang.ref.Reference;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Arrays in another type. */
public final class Conversion {
    private Conversion() {}

    /**
     * Returns a copy rounded to bfloat16, to nearest even.
     *
     * @param array a FLOAT array
     * @param target what computes it
     */
    public static INDArray toBfloat16(INDArray array, Target target) {
        INDArray source = Dense.of(array);
        Operand from = Operand.dense(DataType.FLOAT, array.shape());
        Operand to = Operand.dense(DataType.BFLOAT16, array.shape());
        try (ExecutionContext context = target.open(Set.of())) {
            from.place(context.literal(source));
            to.place(context.allocate(to.length() * to.type().width()));
            context.copy(from, to).run();
            context.finish();
            return context.download(to);
        } finally {
            Reference.reachabilityFence(source);
        }
    }
}
