package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.kernel.Kernels;
import dev.samediff.adapters.engine.kernel.Operand;
import dev.samediff.adapters.engine.nd4j.Addresses;
import dev.samediff.adapters.engine.nd4j.Dense;
import dev.samediff.adapters.engine.program.Shapes;
import java.lang.ref.Reference;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Arrays in another type. */
public final class Conversion {
    private Conversion() {}

    /**
     * Returns a copy rounded to bfloat16, to nearest even.
     *
     * @param array a FLOAT array
     */
    public static INDArray toBfloat16(INDArray array) {
        INDArray source = Dense.of(array);
        INDArray target = Nd4j.createUninitialized(DataType.BFLOAT16, array.shape());
        Operand from = new Operand(DataType.FLOAT, array.shape(), Shapes.dense(array.shape()));
        Operand to = new Operand(DataType.BFLOAT16, array.shape(), Shapes.dense(array.shape()));
        from.place(Addresses.of(source));
        to.place(Addresses.of(target));
        try {
            new Kernels().copy(from, to).run();
        } finally {
            Reference.reachabilityFence(source);
        }
        return target;
    }
}
