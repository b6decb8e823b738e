package dev.samediff.adapters.graph;

import dev.samediff.adapters.LayerInput;
import dev.samediff.adapters.LayerWeight;
import java.util.function.Supplier;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The weight of a layer as a branch sees it.
 *
 * @param graph the graph
 * @param site the layer
 * @param prefix start of the names of all variables created here
 * @param squares computes the squared lengths of the weight's columns [out], of the weight's type, if they are asked for
 */
public record FrozenWeight(SameDiff graph, AdaptableSite site, String prefix, Supplier<INDArray> squares)
        implements LayerWeight {
    @Override
    public SDVariable timesFromLeft(String name, SDVariable matrix) {
        boolean turned = site.orientation() == Orientation.OUT_IN;
        return graph.mmul(name, matrix, graph.getVariable(site.weight()), true, turned, false);
    }

    @Override
    public SDVariable times(String name, LayerInput input) {
        if (!(input instanceof LinearInput linear)) {
            throw new IllegalArgumentException("the input of `" + site.module() + "` is not multiplied by its weight");
        }
        boolean turned = site.orientation() == Orientation.OUT_IN;
        return graph.mmul(name, linear.x(), graph.getVariable(site.weight()), false, turned, false);
    }

    @Override
    public SDVariable columnSquares() {
        return graph.constant(prefix + "column_squares", squares.get());
    }
}
