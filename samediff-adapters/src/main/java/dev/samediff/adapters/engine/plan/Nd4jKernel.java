package dev.samediff.adapters.engine.plan;

import dev.samediff.adapters.engine.kernel.Kernel;
import dev.samediff.adapters.engine.kernel.Operand;
import dev.samediff.adapters.engine.nd4j.NativeOp;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** An op of ND4J on memory of the plan. */
final class Nd4jKernel implements Kernel {
    private final NativeOp op;
    private final Operand[] inputs;
    private final Operand[] outputs;
    private INDArray[] inputArrays = {};
    private INDArray[] outputArrays = {};
    private long[] addresses = {};

    Nd4jKernel(NativeOp op, List<Operand> inputs, List<Operand> outputs) {
        this.op = op;
        this.inputs = inputs.toArray(Operand[]::new);
        this.outputs = outputs.toArray(Operand[]::new);
    }

    @Override
    public void run() {
        long[] now = new long[inputs.length + outputs.length];
        for (int i = 0; i < now.length; i++) {
            now[i] = (i < inputs.length ? inputs[i] : outputs[i - inputs.length]).address();
        }
        if (!Arrays.equals(now, addresses)) {
            inputArrays = Arrays.stream(inputs).map(Nd4jKernel::wrap).toArray(INDArray[]::new);
            outputArrays = Arrays.stream(outputs).map(Nd4jKernel::wrap).toArray(INDArray[]::new);
            addresses = now;
        }
        if (!op.overwrites()) {
            for (Operand output : outputs) {
                long bytes = output.length() * output.type().width();
                Pointer.memset(pointer(output.address(), bytes), 0, bytes);
            }
        }
        op.bind(inputArrays, false);
        INDArray[] written = op.execute(outputArrays.clone());
        for (int i = 0; i < written.length; i++) {
            if (written[i] != outputArrays[i]) {
                outputArrays[i].assign(written[i]);
            }
        }
    }

    /** Returns an array on the memory of an operand. */
    static INDArray wrap(Operand operand) {
        long span = 1;
        for (int i = 0; i < operand.shape().length; i++) {
            span += (operand.shape()[i] - 1) * operand.strides()[i];
        }
        return Nd4j.create(
                Nd4j.createBuffer(
                        pointer(operand.address(), span * operand.type().width()), span, operand.type()),
                operand.shape(),
                operand.strides(),
                0,
                'c');
    }

    /** Returns a pointer that owns nothing. */
    static Pointer pointer(long address, long bytes) {
        return new Raw(address, bytes);
    }

    @Override
    public String describe() {
        return "nd4j " + op.op().opName() + " " + (outputs.length == 0 ? "" : Arrays.toString(outputs[0].shape()));
    }

    /** A bare address. */
    private static final class Raw extends Pointer {
        Raw(long address, long bytes) {
            this.address = address;
            this.limit = bytes;
            this.capacity = bytes;
        }

        @Override
        public int sizeof() {
            return 1;
        }
    }
}
