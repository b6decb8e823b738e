package dev.samediff.dl4j.layer;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Scales;
import dev.samediff.dl4j.conf.AdapterTensor;
import dev.samediff.dl4j.conf.WeightAdapter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The weight that an adapter makes of a frozen one, and the way back of its gradient. A method is written once, in the core;
 * with its factors A' and B' ({@link AdapterMethod#asLora}):
 *
 * <pre>
 * W = W_true + s A' B' - s A'_start B'_start     [in,out], the last term for methods that do not start at zero
 * W <- m_j / ||W_j|| W_j                         for methods that set the lengths m of the columns
 * W l and b l, or l W                            for methods that multiply outputs or inputs, such as (IA)^3
 * dL/dtensor from dL/dW                          {@link AdapterMethod#deltaGradients}
 * </pre>
 *
 * <p>Each term is one product of rank r added to the weight in place. Half-precision networks compose in float32, others in
 * their own type.
 */
final class Composition {
    private final WeightAdapter adapter;
    private final AdapterMethod method;
    private final DataType type;

    Composition(WeightAdapter adapter, DataType networkType) {
        this.adapter = adapter;
        this.method = adapter.adapterMethod();
        this.type = networkType == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
    }

    /**
     * Composes the weight.
     *
     * @param base W_true [in,out]
     * @param tensors the adapter's tensors by DL4J's names, with those of the start
     * @param target where to write W [in,out]
     */
    void weight(INDArray base, Map<String, INDArray> tensors, INDArray target) {
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            boolean inPlace = target.dataType() == type;
            INDArray sum = inPlace ? target.assign(base) : base.castTo(type).dup('f');
            addChanges(sum, tensors);
            lengths(tensors).ifPresent(lengths -> sum.muliRowVector(factors(sum, lengths)));
            if (!inPlace) {
                target.assign(sum);
            }
        }
    }

    private void addChanges(INDArray sum, Map<String, INDArray> tensors) {
        if (method.scales().isPresent()) {
            multiply(sum, method.scales().get(), shortNames(tensors, false));
            return;
        }
        add(sum, shortNames(tensors, false), adapter.scaling());
        if (!adapter.startsAtZero()) {
            add(sum, shortNames(tensors, true), -adapter.scaling());
        }
    }

    /** Multiplies the columns of a weight [in,out], or its rows, in place. */
    static void multiply(INDArray weight, Scales scales, Map<String, INDArray> tensors) {
        INDArray outputs = tensors.get(scales.outputs());
        if (outputs != null) {
            weight.muliRowVector(outputs.castTo(weight.dataType()));
        } else {
            INDArray inputs = Named.get(tensors, scales.inputs()).castTo(weight.dataType());
            weight.muli(inputs.reshape(inputs.length(), 1)); // muliColumnVector takes a vector for a row
        }
    }

    /**
     * Returns the factors l [out] of the layer's bias, in the type of the network's tensors; empty if the method leaves it.
     *
     * @param tensors the adapter's tensors by DL4J's names
     */
    Optional<INDArray> ofBias(Map<String, INDArray> tensors) {
        return method.scales().map(scales -> shortNames(tensors, false).get(scales.outputs()));
    }

    /** The lengths m [out] to which a method brings the columns, if it does. */
    private Optional<INDArray> lengths(Map<String, INDArray> tensors) {
        return method.magnitude().map(name -> Named.get(shortNames(tensors, false), name));
    }

    /** m_j / ||V_j||, and 1 where V_j is zero. */
    static INDArray factors(INDArray sum, INDArray lengths) {
        INDArray norms = sum.norm2(0);
        INDArray zero = norms.eq(0).castTo(norms.dataType());
        return lengths.castTo(norms.dataType()).add(zero).div(norms.add(zero));
    }

    /** The product is added in F order, which BLAS writes. */
    private void add(INDArray sum, Map<String, INDArray> tensors, double scaling) {
        Map<String, INDArray> lora = method.asLora(tensors);
        INDArray a = Named.get(lora, "lora_A");
        INDArray b = Named.get(lora, "lora_B");
        if (sum.ordering() == 'f') {
            Nd4j.gemm(a, b, sum, false, false, scaling, 1);
        } else {
            Nd4j.gemm(b.transpose(), a.transpose(), sum.transpose(), false, false, scaling, 1);
        }
    }

    /**
     * Computes the gradients of the trainable tensors, by DL4J's names. With lengths m, V before they are applied and n = ||V_j||, as DoRA's
     * they do not go through n: {@code dL/dm = colsum(V dL/dW) / n}, {@code dL/dV = dL/dW m / n}. With factors l, {@code
     * dL/dl = colsum(W_true dL/dW)}, or the sums of rows; a bias adds {@code b dL/db}.
     *
     * @param base W_true [in,out]
     * @param tensors as {@link #weight} takes them
     * @param upstream dL/dW [in,out]
     */
    Map<String, INDArray> gradients(INDArray base, Map<String, INDArray> tensors, INDArray upstream) {
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            INDArray ofWeight = upstream.castTo(type);
            if (method.scales().isPresent()) {
                boolean outputs = ofBias(tensors).isPresent();
                AdapterTensor factors = adapter.tensors().get(0);
                INDArray products = base.castTo(type).mul(ofWeight);
                return Map.of(adapter.key(factors), products.sum(outputs ? 0 : 1));
            }
            Map<String, INDArray> ofLengths = new LinkedHashMap<>();
            if (method.magnitude().isPresent()) {
                INDArray sum = base.castTo(type).dup('f');
                addChanges(sum, tensors);
                INDArray lengths = lengths(tensors).orElseThrow();
                INDArray ones = Nd4j.ones(type, lengths.shape());
                ofLengths.put(method.magnitude().get(), sum.mul(ofWeight).sum(0).mul(factors(sum, ones)));
                ofWeight = ofWeight.mulRowVector(factors(sum, lengths));
            }
            Map<String, INDArray> ofTensors =
                    new LinkedHashMap<>(method.deltaGradients(shortNames(tensors, false), adapter.scaling(), ofWeight));
            ofTensors.putAll(ofLengths);
            Map<String, INDArray> gradients = new LinkedHashMap<>();
            adapter.tensors()
                    .forEach(tensor -> gradients.put(adapter.key(tensor), Named.get(ofTensors, tensor.name())));
            return gradients;
        }
    }

    private Map<String, INDArray> shortNames(Map<String, INDArray> tensors, boolean start) {
        Map<String, INDArray> byShortName = new LinkedHashMap<>();
        for (AdapterTensor tensor : adapter.tensors()) {
            String key = start ? adapter.startKey(tensor) : adapter.key(tensor);
            byShortName.put(tensor.name(), Named.get(tensors, key).castTo(type));
        }
        return byShortName;
    }
}
