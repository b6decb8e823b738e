package dev.samediff.dl4j.contract;

import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** A network of either kind and its data. What is random in it starts from the same seed every time. */
record Trial(Model network, MultiDataSet data) {
    private static final int SEED = 17;

    /** Returns copies of all parameters. */
    Map<String, INDArray> copies() {
        Map<String, INDArray> copies = new LinkedHashMap<>();
        network.paramTable().forEach((name, array) -> copies.put(name, array.dup('c')));
        return copies;
    }

    double score(boolean training) {
        Nd4j.getRandom().setSeed(SEED);
        return network instanceof MultiLayerNetwork list
                ? list.score(single(), training)
                : ((ComputationGraph) network).score(data, training);
    }

    /** Takes one step. */
    void fit() {
        Nd4j.getRandom().setSeed(SEED);
        if (network instanceof MultiLayerNetwork list) {
            list.fit(single());
        } else {
            ((ComputationGraph) network).fit(data);
        }
    }

    INDArray output() {
        return network instanceof MultiLayerNetwork list
                ? list.output(data.getFeatures(0).dup())
                : ((ComputationGraph) network).output(data.getFeatures())[0];
    }

    private DataSet single() {
        return new DataSet(
                data.getFeatures(0),
                data.getLabels(0),
                data.getFeaturesMaskArrays() == null ? null : data.getFeaturesMaskArray(0),
                data.getLabelsMaskArrays() == null ? null : data.getLabelsMaskArray(0));
    }
}
