package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A method that is no low-rank change of a weight ({@link #isLowRank} is false): it has no {@link #delta}. Whoever asks for one has not asked
 * {@code isLowRank} first, which is a mistake of a program; people are refused before it comes to that, with what to do.
 */
interface NoWeightChange extends AdapterMethod {
    @Override
    default INDArray delta(Map<String, INDArray> trainables, double scaling) {
        throw none();
    }

    @Override
    default Map<String, INDArray> deltaGradients(Map<String, INDArray> trainables, double scaling, INDArray ofDelta) {
        throw none();
    }

    @Override
    default Map<String, INDArray> asLora(Map<String, INDArray> trainables) {
        throw none();
    }

    private UnsupportedOperationException none() {
        return new UnsupportedOperationException(
                name() + " is no low-rank change of a weight; ask AdapterMethod.isLowRank() first");
    }
}
