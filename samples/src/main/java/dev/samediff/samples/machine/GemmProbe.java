package dev.samediff.samples.machine;

import java.time.Duration;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/** Measures how fast this machine multiplies float32 matrices of the shapes that training has. */
public final class GemmProbe {
    private static final int ROWS = 1024;
    private static final int INNER = 768;
    private static final int COLUMNS = 768;

    private GemmProbe() {}

    /** Returns 10^9 floating-point operations per second, measured for about the given time. */
    public static double gigaflops(Duration time) {
        try (INDArray a = Nd4j.rand(DataType.FLOAT, ROWS, INNER);
                INDArray b = Nd4j.rand(DataType.FLOAT, INNER, COLUMNS);
                INDArray c = Nd4j.create(DataType.FLOAT, ROWS, COLUMNS)) {
            DynamicCustomOp product = DynamicCustomOp.builder("matmul")
                    .addInputs(a, b)
                    .addOutputs(c)
                    .build();
            Nd4j.exec(product);
            long repetitions = 0;
            long start = System.nanoTime();
            long elapsed = 0;
            while (elapsed < time.toNanos()) {
                Nd4j.exec(product);
                repetitions++;
                elapsed = System.nanoTime() - start;
            }
            return 2.0 * ROWS * INNER * COLUMNS * repetitions / elapsed;
        }
    }
}
