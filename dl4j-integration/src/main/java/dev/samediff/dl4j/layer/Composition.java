package dev.samediff.dl4j.layer;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.ReferenceEngine;
import dev.samediff.dl4j.conf.AdapterTensor;
import dev.samediff.dl4j.conf.WeightAdapter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The weight that an adapter makes of a frozen one, and the way back of its gradient. Both come from the method's own
 * branch, so that a method is written once:
 *
 * <pre>
 * W_res = W_true - branch(0, start)      (W_true for a method that starts at zero)
 * W     = branch(W_res, tensors)         [in,out]
 * dL/dtensor = d(sum(W * dL/dW))/dtensor
 * </pre>
 *
 * <p>Half-precision networks compose in float32, others in their own type.
 */
final class Composition {
    private static final String BASE = "base";
    private static final String UPSTREAM = "upstream";
    private static final String WEIGHT = "weight";
    private static final String LOSS = "loss";

    private final WeightAdapter adapter;
    private final SameDiff graph = SameDiff.create();
    private final DataType type;
    private final Map<String, String> variables = new LinkedHashMap<>();
    private final Engine engine;

    Composition(WeightAdapter adapter, long in, long out, DataType networkType) {
        this.adapter = adapter;
        this.type = networkType == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
        AdapterMethod method = adapter.adapterMethod();
        WholeMatrix whole = new WholeMatrix(graph);
        SDVariable base = graph.placeHolder(BASE, type, in, out);
        SDVariable upstream = graph.placeHolder(UPSTREAM, type, in, out);
        SDVariable scaling = graph.constant("scaling", Nd4j.scalar(type, adapter.scaling()));
        SDVariable residual = base;
        if (!adapter.startsAtZero()) {
            SDVariable zero = graph.constant("zero", Nd4j.zeros(type, in, out));
            SDVariable start = method.adapt(whole, zero, scaling, tensors(true), "start/");
            residual = base.sub("residual", start);
        }
        SDVariable adapted = method.adapt(whole, residual, scaling, tensors(false), "now/");
        graph.identity(WEIGHT, adapted);
        adapted.mul("products", upstream).sum(LOSS);
        List<String> trainables = adapter.tensors().stream().map(adapter::key).toList();
        this.engine = new ReferenceEngine(graph, LOSS, trainables);
    }

    private Map<String, SDVariable> tensors(boolean start) {
        Map<String, SDVariable> byShortName = new LinkedHashMap<>();
        for (AdapterTensor tensor : adapter.tensors()) {
            String key = start ? adapter.startKey(tensor) : adapter.key(tensor);
            INDArray array = Nd4j.zeros(type, tensor.dimensions());
            byShortName.put(tensor.name(), start ? graph.constant(key, array) : graph.var(key, array));
            variables.put(key, key);
        }
        return byShortName;
    }

    /**
     * Composes the weight.
     *
     * @param base W_true [in,out]
     * @param tensors the adapter's tensors by DL4J's names, with those of the start
     * @return W [in,out]; it belongs to the caller
     */
    INDArray weight(INDArray base, Map<String, INDArray> tensors) {
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            read(tensors);
            return Named.get(engine.outputs(Map.of(BASE, typed(base)), List.of(WEIGHT)), WEIGHT);
        }
    }

    /**
     * Computes the gradients of the trainable tensors, by DL4J's names.
     *
     * @param base W_true [in,out]
     * @param tensors as {@link #weight} takes them
     * @param upstream dL/dW [in,out]
     */
    Map<String, INDArray> gradients(INDArray base, Map<String, INDArray> tensors, INDArray upstream) {
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            read(tensors);
            return engine.gradients(Map.of(BASE, typed(base), UPSTREAM, typed(upstream)))
                    .byName();
        }
    }

    private void read(Map<String, INDArray> tensors) {
        variables.keySet().forEach(key -> graph.getArrForVarName(key).assign(Named.get(tensors, key)));
    }

    private INDArray typed(INDArray matrix) {
        return matrix.dataType() == type && matrix.ordering() == 'c' && !matrix.isView()
                ? matrix
                : matrix.castTo(type).dup('c');
    }
}
