package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.train.Trainable;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The values of what is trained. */
public final class Parameters {
    private final Trainable model;

    public Parameters(Trainable model) {
        this.model = model;
    }

    /** Returns the arrays in the graph. */
    public List<INDArray> arrays() {
        return model.trainableNames().stream()
                .map(name -> model.graph().getArrForVarName(name))
                .toList();
    }

    /** Returns copies of the values. */
    public List<INDArray> read() {
        return arrays().stream().map(array -> array.dup('c')).toList();
    }

    /** Overwrites the values in the graph. */
    public void write(List<INDArray> values) {
        List<INDArray> arrays = arrays();
        for (int i = 0; i < values.size(); i++) {
            arrays.get(i).assign(values.get(i));
        }
    }

    /** Refuses parameters that are not FLOAT, by name. */
    public void requireFloat() {
        model.trainableNames()
                .forEach(name ->
                        AdamW.requireFloat("`" + name + "`", model.graph().getArrForVarName(name)));
    }
}
