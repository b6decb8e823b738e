package dev.samediff.dl4j.layer;

import dev.samediff.dl4j.conf.AdaptedLayer;
import dev.samediff.dl4j.conf.AdapterTensor;
import dev.samediff.dl4j.conf.WeightAdapter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.api.layers.LayerConstraint;

/**
 * The original layer's constraints on an adapted weight, moved to the adapter's matrices: what is frozen cannot break a
 * constraint.
 */
final class Constraints {
    private Constraints() {}

    static List<LayerConstraint> of(AdaptedLayer layer) {
        List<LayerConstraint> originals = layer.getUnderlying().getConstraints();
        List<LayerConstraint> moved = new ArrayList<>();
        if (originals == null) {
            return moved;
        }
        for (LayerConstraint original : originals) {
            Set<String> keys = new HashSet<>();
            for (WeightAdapter adapter : layer.getAdapters()) {
                if (original.getParams().contains(adapter.parameter())) {
                    adapter.tensors().stream()
                            .filter(tensor -> isMatrix(tensor))
                            .forEach(tensor -> keys.add(adapter.key(tensor)));
                }
            }
            if (!keys.isEmpty()) {
                LayerConstraint copy = original.clone();
                copy.setParams(keys);
                moved.add(copy);
            }
        }
        return moved;
    }

    private static boolean isMatrix(AdapterTensor tensor) {
        return tensor.shape().size() == 2;
    }
}
