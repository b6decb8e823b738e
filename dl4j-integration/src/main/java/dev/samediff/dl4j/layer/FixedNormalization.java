package dev.samediff.dl4j.layer;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * A frozen batch normalisation: {@code y = gamma (x - mean) / sqrt(var + eps) + beta} with the trained mean and variance, and
 * {@code dx = gamma / sqrt(var + eps) dy}. DL4J's own backward pass is that of training, which takes mean and variance for
 * functions of the batch, whatever the forward pass was; its {@code FrozenLayerWithBackprop} gives wrong gradients here.
 */
final class FixedNormalization extends BaseWrapperLayer {
    private final BatchNormalization normalization;

    FixedNormalization(Layer implementation) {
        super(implementation);
        this.normalization = (BatchNormalization) implementation.conf().getLayer();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        return underlying.activate(false, workspaceMgr);
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaceMgr) {
        return underlying.activate(input, false, workspaceMgr);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        int channels = epsilon.rank() == 4 && normalization.getCnn2DFormat() == CNN2DFormat.NHWC ? 3 : 1;
        INDArray result = workspaceMgr.createUninitialized(
                ArrayType.ACTIVATION_GRAD, epsilon.dataType(), epsilon.shape(), epsilon.ordering());
        Nd4j.exec(new BroadcastMulOp(epsilon, slope().castTo(epsilon.dataType()), result, channels));
        return new Pair<>(new DefaultGradient(), result);
    }

    private INDArray slope() {
        INDArray deviation = Transforms.sqrt(variance().add(normalization.getEps()), false);
        return normalization.isLockGammaBeta()
                ? deviation.rdiv(normalization.getGamma())
                : getParam(BatchNormalizationParamInitializer.GAMMA).div(deviation);
    }

    private INDArray variance() {
        return normalization.isUseLogStd()
                ? Transforms.exp(
                        getParam(BatchNormalizationParamInitializer.GLOBAL_LOG_STD)
                                .mul(2 * Math.log(10)),
                        false)
                : getParam(BatchNormalizationParamInitializer.GLOBAL_VAR).dup();
    }
}
