package dev.samediff.dl4j.vertex;

import dev.samediff.dl4j.layer.HalvedErrors;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.conf.misc.DummyConfig;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.vertex.BaseWrapperVertex;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.layers.samediff.SameDiffGraphVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A running {@link dev.samediff.dl4j.conf.CorrectedVertex}. */
public final class RunningVertex extends BaseWrapperVertex {
    private final boolean frozen;
    private @Nullable INDArray view;

    /**
     * Wraps DL4J's implementation.
     *
     * @param implementation the vertex
     * @param frozen whether its parameters are kept
     */
    public RunningVertex(GraphVertex implementation, boolean frozen) {
        super(implementation);
        this.frozen = frozen;
    }

    /** Returns how many numbers of it are trained. */
    public long trainableParameters() {
        return frozen ? 0 : numParams();
    }

    @Override
    public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaceMgr) {
        Pair<Gradient, INDArray[]> gradients = underlying.doBackward(tbptt, workspaceMgr);
        if (underlying instanceof SameDiffGraphVertex) {
            HalvedErrors.correct(gradients.getFirst(), gradients.getSecond());
        }
        return frozen ? new Pair<>(new DefaultGradient(), gradients.getSecond()) : gradients;
    }

    /** Gives the implementation of a frozen vertex an array of its own: the network's stays zero. */
    @Override
    public void setBackpropGradientsViewArray(INDArray backpropGradientsViewArray) {
        view = backpropGradientsViewArray;
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            underlying.setBackpropGradientsViewArray(
                    frozen ? Nd4j.zeros(view.assign(0).dataType(), view.shape()) : backpropGradientsViewArray);
        }
    }

    @Override
    public @Nullable INDArray getGradientsViewArray() {
        return view;
    }

    @Override
    public TrainingConfig getConfig() {
        return frozen ? new DummyConfig(getVertexName()) : underlying.getConfig();
    }
}
