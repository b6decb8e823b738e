package dev.samediff.dl4j.layer;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.SiteShape;
import dev.samediff.dl4j.conf.AdapterTensor;
import dev.samediff.dl4j.conf.WeightAdapter;
import dev.samediff.dl4j.weight.AdaptableWeight;
import dev.samediff.dl4j.weight.MatrixView;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One adapted weight of a running layer: the frozen weight, the tensors, and the composed weight the original
 * implementation computes with.
 */
final class AdaptedWeight {
    private final WeightAdapter adapter;
    private final AdaptableWeight site;
    private final INDArray frozen;
    private final INDArray effective;
    private final Optional<ScaledBias> bias;
    private final Map<String, INDArray> tensors;
    private final Composition composition;

    /**
     * @param adapter the adapter
     * @param site the weight
     * @param frozen the true weight as stored, a view of the network's parameters
     * @param effective the weight the implementation reads, a view
     * @param bias the bias that is multiplied with the weight, if the layer has one
     * @param tensors all tensors of the layer by DL4J's names, views of the network's parameters
     */
    AdaptedWeight(
            WeightAdapter adapter,
            AdaptableWeight site,
            INDArray frozen,
            INDArray effective,
            Optional<ScaledBias> bias,
            Map<String, INDArray> tensors) {
        this.adapter = adapter;
        this.site = site;
        this.frozen = site.view().of(frozen);
        this.effective = site.view().of(effective);
        this.bias = bias;
        this.tensors = new LinkedHashMap<>();
        adapter.layout().keySet().forEach(key -> this.tensors.put(key, Named.get(tensors, key)));
        this.composition = new Composition(adapter, frozen.dataType());
    }

    /** Sets the tensors to the start that the method computes from the true weight. */
    void start() {
        SiteShape shape =
                new SiteShape(adapter.module(), site.in(), site.out(), adapter.rank(), adapter.scaling(), site.kind());
        Factorization start = Starts.factorize(frozen, shape, adapter.adapterMethod(), adapter.seed());
        for (AdapterTensor tensor : adapter.tensors()) {
            INDArray value = Named.get(start.trainables(), tensor.name());
            Named.get(tensors, adapter.key(tensor)).assign(value);
            if (!adapter.startsAtZero()) {
                Named.get(tensors, adapter.startKey(tensor)).assign(value);
            }
        }
    }

    /** Writes the composed weight, and its bias, to where the implementation reads them. */
    void compose() {
        composition.weight(frozen, tensors, effective);
        bias.ifPresent(b -> composition.ofBias(tensors).ifPresent(b::compose));
    }

    /**
     * Turns the gradient of the composed weight into those of the tensors.
     *
     * @param ofParameters gradients of the parameters as stored, by DL4J's names
     * @param gradients where to write them, by DL4J's names
     * @return the written gradients
     */
    Map<String, INDArray> backward(Map<String, INDArray> ofParameters, Map<String, INDArray> gradients) {
        INDArray ofWeight = Named.get(ofParameters, adapter.parameter());
        Map<String, INDArray> written = new LinkedHashMap<>();
        composition.gradients(frozen, tensors, site.view().of(ofWeight)).forEach((key, gradient) -> {
            INDArray target = Named.get(gradients, key);
            target.assign(gradient);
            written.put(key, target);
        });
        if (bias.isPresent() && composition.ofBias(tensors).isPresent()) {
            INDArray ofFactors = bias.get().gradient(ofParameters);
            written.values().forEach(factors -> factors.addi(ofFactors));
        }
        return written;
    }

    /**
     * Writes {@code W_true + delta(now) - delta(start)}, its columns brought to their lengths if the method has them, computed in float64 and rounded once.
     *
     * @param target where, a weight as stored
     */
    void merge(INDArray target) {
        AdapterMethod method = adapter.adapterMethod();
        if (method.scales().isPresent()) {
            INDArray scaled = frozen.castTo(DataType.DOUBLE).dup();
            Composition.multiply(scaled, method.scales().get(), values(false));
            site.view().of(target).assign(scaled);
            return;
        }
        INDArray sum = frozen.castTo(DataType.DOUBLE).add(delta(false));
        if (!adapter.startsAtZero()) {
            sum.subi(delta(true));
        }
        Map<String, INDArray> values = values(false);
        method.magnitude().ifPresent(name -> sum.muliRowVector(Composition.factors(sum, Named.get(values, name))));
        site.view().of(target).assign(sum);
    }

    /**
     * Writes the bias that belongs to the merged weight, if it is another.
     *
     * @param parameters where: views by DL4J's names
     */
    void mergeBias(Map<String, INDArray> parameters) {
        bias.ifPresent(b -> composition.ofBias(tensors).ifPresent(factors -> b.merge(factors, parameters)));
    }

    private INDArray delta(boolean start) {
        return adapter.adapterMethod().delta(values(start), adapter.scaling());
    }

    private Map<String, INDArray> values(boolean start) {
        Map<String, INDArray> values = new LinkedHashMap<>();
        adapter.tensors()
                .forEach(tensor -> values.put(
                        tensor.name(), Named.get(tensors, start ? adapter.startKey(tensor) : adapter.key(tensor))));
        return values;
    }

    /** Returns whether {@link #compose} writes all of the weight. */
    boolean isWhole() {
        return site.view() != MatrixView.WITHOUT_PEEPHOLES;
    }

    String parameter() {
        return adapter.parameter();
    }
}
