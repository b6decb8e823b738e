package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.nd4j.Dense;
import dev.samediff.adapters.memory.NativeBlock;
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
    public static RoundedCopy toBfloat16(INDArray array, Target target) {
        INDArray source = Dense.of(array);
        Operand from = Operand.dense(DataType.FLOAT, array.shape());
        Operand to = Operand.dense(DataType.BFLOAT16, array.shape());
        try (ExecutionContext context = target.open(Set.of())) {
            NativeBlock memory = new NativeBlock(to.length() * to.type().width());
            RoundedCopy copy = new RoundedCopy(memory.asArray(to.type(), to.shape()), memory);
            from.place(context.literal(source));
            to.place(context.destination(copy.array()));
            context.copy(from, to).run();
            context.finish();
            context.download(to, copy.array());
            return copy;
        } finally {
            Reference.reachabilityFence(source);
        }
    }
}
