package dev.samediff.dl4j.layer;

import dev.samediff.adapters.InvalidInputException;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.layers.recurrent.BidirectionalLayer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A defect of DL4J M2.1: inside of {@code LastTimeStep} and {@code MaskZeroLayer} an LSTM's forward pass starts again after a
 * masked step, but its backward pass goes on through it. What stands before such a step, in the order of reading, makes the
 * gradient wrong; padding at the end of a sequence is the beginning for the backwards half of a {@code Bidirectional}.
 */
final class MaskedSteps {
    private MaskedSteps() {}

    /** Returns whether a layer can meet the defect: an LSTM inside of a wrapper. */
    static boolean matter(org.deeplearning4j.nn.conf.layers.Layer layer) {
        return layer instanceof BaseWrapperLayer wrapper && hasLstm(wrapper.getUnderlying());
    }

    private static boolean hasLstm(org.deeplearning4j.nn.conf.layers.Layer layer) {
        if (layer instanceof Bidirectional both) {
            return hasLstm(both.getFwd());
        }
        return layer instanceof AbstractLSTM
                || (layer instanceof BaseWrapperLayer wrapper && hasLstm(wrapper.getUnderlying()));
    }

    /**
     * Refuses to go backwards through a layer whose gradient would be wrong.
     *
     * @param implementation the running layer, as the network holds it
     * @throws InvalidInputException if a step is masked before one that is not
     */
    static void require(Layer implementation) {
        Layer inner = implementation;
        while (inner instanceof org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer wrapper) {
            inner = wrapper.getUnderlying();
        }
        INDArray mask = inner == implementation ? null : inner.getMaskArray();
        org.deeplearning4j.nn.conf.layers.Layer configuration = inner.conf().getLayer();
        if (mask == null || !hasLstm(configuration)) {
            return;
        }
        boolean wrong = inner instanceof BidirectionalLayer ? hasZero(mask) : hasZeroBeforeOne(mask);
        if (wrong) {
            throw new InvalidInputException("the layer `" + name(implementation, configuration) + "`, a "
                    + configuration.getClass().getSimpleName()
                    + " inside of a wrapper, was given a mask with a masked step before one that is not, in the order it"
                    + " reads; DL4J's gradient is wrong there. Pad sequences at their end (for a Bidirectional put"
                    + " sequences of one length into a batch), or use SimpleRnn or GravesBidirectionalLSTM");
        }
    }

    private static @Nullable String name(Layer implementation, org.deeplearning4j.nn.conf.layers.Layer inner) {
        String outer = implementation.conf().getLayer().getLayerName();
        return outer == null ? inner.getLayerName() : outer;
    }

    private static boolean hasZero(INDArray mask) {
        return mask.castTo(DataType.DOUBLE).minNumber().doubleValue() == 0;
    }

    private static boolean hasZeroBeforeOne(INDArray mask) {
        INDArray rows = mask.castTo(DataType.DOUBLE).reshape(mask.size(0), -1);
        for (long row = 0; row < rows.rows(); row++) {
            for (long step = 1; step < rows.columns(); step++) {
                if (rows.getDouble(row, step - 1) == 0 && rows.getDouble(row, step) != 0) {
                    return true;
                }
            }
        }
        return false;
    }
}
