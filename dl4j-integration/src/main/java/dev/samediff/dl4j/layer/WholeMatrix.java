package dev.samediff.dl4j.layer;

import dev.samediff.adapters.LayerInput;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The input {@code x = I [in,in]} of a layer, which is never formed: {@code I M = M}. A method's branch on it is the weight
 * that the layer has with the adapter.
 *
 * @param graph the graph
 */
record WholeMatrix(SameDiff graph) implements LayerInput {
    @Override
    public SDVariable times(String name, SDVariable matrix) {
        return graph.identity(name, matrix);
    }
}
