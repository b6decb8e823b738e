package dev.samediff.dl4j.layer;

import dev.samediff.dl4j.conf.AdaptedLayer;
import dev.samediff.dl4j.conf.AdaptedParameters;
import java.util.Map;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The gradients of an adapted layer.
 *
 * @param view the layer's part of the network's flat gradient; zero where parameters are frozen
 * @param tensors the tensors' part of it by DL4J's names, as views
 * @param ofImplementation where the original implementation writes its gradients
 */
record Gradients(INDArray view, Map<String, INDArray> tensors, INDArray ofImplementation) {
    static Gradients of(AdaptedLayer layer, INDArray view) {
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            view.assign(0);
            INDArray base = AdaptedParameters.base(layer, view);
            return new Gradients(
                    view, AdaptedParameters.tensors(layer, view), Nd4j.zeros(base.dataType(), base.length()));
        }
    }

    Gradient asGradient() {
        Gradient gradient = new DefaultGradient(view);
        tensors.forEach((key, tensor) -> gradient.setGradientFor(key, tensor, 'c'));
        return gradient;
    }
}
