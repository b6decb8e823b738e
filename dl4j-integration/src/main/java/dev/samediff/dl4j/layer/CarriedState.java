package dev.samediff.dl4j.layer;

import java.util.Map;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A layer around a recurrent one, whose state between time steps and pieces of a sequence is that one's. */
interface CarriedState extends RecurrentLayer {
    /** Returns the layer inside, which has the state. */
    RecurrentLayer recurrent();

    @Override
    default Map<String, INDArray> rnnGetPreviousState() {
        return recurrent().rnnGetPreviousState();
    }

    @Override
    default void rnnSetPreviousState(Map<String, INDArray> stateMap) {
        recurrent().rnnSetPreviousState(stateMap);
    }

    @Override
    default void rnnClearPreviousState() {
        recurrent().rnnClearPreviousState();
    }

    @Override
    default Map<String, INDArray> rnnGetTBPTTState() {
        return recurrent().rnnGetTBPTTState();
    }

    @Override
    default void rnnSetTBPTTState(Map<String, INDArray> state) {
        recurrent().rnnSetTBPTTState(state);
    }
}
