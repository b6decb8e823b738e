package dev.samediff.dl4j.layer;

import dev.samediff.adapters.InvalidInputException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.layers.recurrent.BidirectionalLayer;
import org.deeplearning4j.util.TimeSeriesUtils;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A defect of DL4J M2.1: inside of {@code LastTimeStep} and {@code MaskZeroLayer} an LSTM's forward pass starts again after a
 * masked step, but its backward pass goes on through it. What stands before such a step, in the order of reading, makes the
 * gradient wrong; padding at the end of a sequence is the beginning for the backwards half of a {@code Bidirectional}.
 */
final class MaskedSteps {
    private static final Logger LOG = LoggerFactory.getLogger(MaskedSteps.class);
    private static final Set<String> WARNED = ConcurrentHashMap.newKeySet();

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
     * @param epsilon the error that comes from above, [N,C] or [N,C,T]
     * @throws InvalidInputException if an error reaches a masked step
     */
    static void require(Layer implementation, INDArray epsilon) {
        Layer inner = implementation;
        while (inner instanceof org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer wrapper) {
            inner = wrapper.getUnderlying();
        }
        INDArray mask = inner == implementation ? null : inner.getMaskArray();
        org.deeplearning4j.nn.conf.layers.Layer configuration = inner.conf().getLayer();
        if (mask == null || !hasLstm(configuration)) {
            return;
        }
        boolean wrong = inner instanceof BidirectionalLayer
                ? hasZero(mask)
                : hasZeroBeforeOne(mask) || isReached(mask, epsilon, configuration);
        if (wrong) {
            throw new InvalidInputException("the layer `" + name(implementation, configuration) + "`, a "
                    + configuration.getClass().getSimpleName()
                    + " inside of a wrapper, has a masked step that an error reaches: one before a step that is not masked, in"
                    + " the order it reads, or one that the layer above does not mask. DL4J's gradient is wrong there. Pad"
                    + " sequences at their end and mask the labels too (for a Bidirectional put sequences of one length"
                    + " into a batch), or use SimpleRnn or GravesBidirectionalLSTM");
        }
    }

    /**
     * Says once if a layer was given a mask and does not obey it: a {@code Bidirectional} LSTM that stands alone, whose
     * backwards half reads padding as if it were data.
     *
     * @param implementation the running layer, after the mask was handed to it
     * @param mask the mask
     */
    static void warnIfIgnored(Layer implementation, @Nullable INDArray mask) {
        if (mask != null
                && implementation instanceof BidirectionalLayer
                && implementation.getMaskArray() == null
                && hasZero(mask)
                && WARNED.add(String.valueOf(implementation.conf().getLayer().getLayerName()))) {
            LOG.warn(
                    "the layer `{}`: DL4J's Bidirectional obeys no mask in its forward pass, so padding is read as data; put"
                            + " sequences of one length into a batch, or use GravesBidirectionalLSTM",
                    implementation.conf().getLayer().getLayerName());
        }
    }

    private static @Nullable String name(Layer implementation, org.deeplearning4j.nn.conf.layers.Layer inner) {
        String outer = implementation.conf().getLayer().getLayerName();
        return outer == null ? inner.getLayerName() : outer;
    }

    private static boolean hasZero(INDArray mask) {
        return mask.castTo(DataType.DOUBLE).minNumber().doubleValue() == 0;
    }

    /** Whether the error of a masked step is anything but zero; what comes through {@code LastTimeStep} has no steps. */
    private static boolean isReached(
            INDArray mask, INDArray epsilon, org.deeplearning4j.nn.conf.layers.Layer configuration) {
        if (epsilon.rank() != 3) {
            return false;
        }
        INDArray steps = TimeSeriesUtils.getFormatFromRnnLayer(configuration) == RNNFormat.NWC
                ? epsilon.permute(0, 2, 1)
                : epsilon;
        INDArray rows = mask.castTo(epsilon.dataType()).reshape(mask.size(0), -1);
        INDArray masked = Nd4j.exec(new BroadcastMulOp(
                steps, rows.rsub(1), Nd4j.createUninitialized(steps.dataType(), steps.shape()), 0, 2));
        return masked.amaxNumber().doubleValue() != 0;
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
