package dev.samediff.dl4j.layer;

import dev.samediff.dl4j.conf.AdaptedLayer;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * A running adapted output layer. DL4J asks one for score and gradient without a forward pass before. DL4J's SameDiff output
 * layer leaves the network's regularisation out of the score; it is added here.
 */
final class RunningOutputLayer extends RunningLayer implements IOutputLayer {
    private final IOutputLayer output;

    RunningOutputLayer(
            AdaptedLayer configuration, Layer implementation, Parameters parameters, List<AdaptedWeight> weights) {
        super(configuration, implementation, parameters, weights);
        this.output = (IOutputLayer) implementation;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        compose();
        return super.backpropGradient(epsilon, workspaceMgr);
    }

    @Override
    public double computeScore(double fullNetworkRegScore, boolean training, LayerWorkspaceMgr workspaceMgr) {
        compose();
        double score = output.computeScore(fullNetworkRegScore, training, workspaceMgr);
        return output instanceof SameDiffOutputLayer ? score + fullNetworkRegScore : score;
    }

    @Override
    public INDArray computeScoreForExamples(double fullNetworkRegScore, LayerWorkspaceMgr workspaceMgr) {
        compose();
        return output.computeScoreForExamples(fullNetworkRegScore, workspaceMgr);
    }

    @Override
    public boolean needsLabels() {
        return output.needsLabels();
    }

    @Override
    public void setLabels(INDArray labels) {
        output.setLabels(labels);
    }

    @Override
    public INDArray getLabels() {
        return output.getLabels();
    }

    @Override
    public double f1Score(DataSet data) {
        compose();
        return output.f1Score(data);
    }

    @Override
    public double f1Score(INDArray examples, INDArray labels) {
        compose();
        return output.f1Score(examples, labels);
    }

    @Override
    public int numLabels() {
        return output.numLabels();
    }

    @Override
    public int[] predict(INDArray examples) {
        compose();
        return output.predict(examples);
    }

    @Override
    public List<String> predict(DataSet dataSet) {
        compose();
        return output.predict(dataSet);
    }

    @Override
    public void fit(DataSetIterator iter) {
        output.fit(iter);
    }

    @Override
    public void fit(INDArray examples, INDArray labels) {
        output.fit(examples, labels);
    }

    @Override
    public void fit(DataSet data) {
        output.fit(data);
    }

    @Override
    public void fit(INDArray examples, int[] labels) {
        output.fit(examples, labels);
    }
}
