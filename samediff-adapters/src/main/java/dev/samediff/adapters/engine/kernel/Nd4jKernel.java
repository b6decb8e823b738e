package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.nd4j.NativeOp;
import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.memory.HostMemory;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** An op of ND4J on the memory of a plan, for targets whose memory is the host's. */
public final class Nd4jKernel implements Kernel {
    private final NativeOp op;
    private final Operand[] inputs;
    private final Operand[] outputs;
    private INDArray[] inputArrays = {};
    private INDArray[] outputArrays = {};
    private long[] addresses = {};

    /**
     * Makes it.
     *
     * @param op what to compute
     * @param inputs its inputs
     * @param outputs where its results go
     */
    public Nd4jKernel(NativeOp op, List<Operand> inputs, List<Operand> outputs) {
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
                Pointer.memset(HostMemory.bytes(output.address(), bytes), 0, bytes);
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

    private static INDArray wrap(Operand operand) {
        return HostMemory.array(operand.address(), operand.type(), operand.shape(), operand.strides());
    }

    @Override
    public String describe() {
        return "nd4j " + op.op().opName() + " " + (outputs.length == 0 ? "" : Arrays.toString(outputs[0].shape()));
    }
}
