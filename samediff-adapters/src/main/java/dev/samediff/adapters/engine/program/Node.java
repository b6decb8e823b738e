package dev.samediff.adapters.engine.program;

import java.util.List;

/**
 * One operation of a program.
 *
 * @param op what is computed
 * @param inputs tensors it reads
 * @param outputs tensors it defines
 */
public record Node(Op op, List<Tensor> inputs, List<Tensor> outputs) {
    public Node {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /** Returns an input. */
    public Tensor input(int index) {
        return inputs.get(index);
    }

    /** Returns the first output. */
    public Tensor output() {
        return outputs.get(0);
    }
}
