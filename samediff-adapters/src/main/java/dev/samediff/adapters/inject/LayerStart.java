package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.AdapterMethod;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What an adapter has on one layer when it is put into a graph.
 *
 * @param site the layer
 * @param start the tensors at the start by short name, copied, because who gave them may go on writing to them
 * @param tensors the tensors as they are now
 */
record LayerStart(AdaptedSite site, Map<String, INDArray> start, Map<String, INDArray> tensors) {
    LayerStart {
        start = Adapter.copy(start);
    }

    /** The squared lengths of the columns [out] of the weight that the graph holds while the adapter acts. */
    double[] columnSquares(AdapterMethod method, BaseWeight base) {
        LowRankSum weight = new LowRankSum(site.layer());
        if (!site.startsAtZero()) {
            weight.add(method, start, -site.scaling());
        }
        return weight.columnSquares(base.stored());
    }
}
