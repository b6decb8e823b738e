package dev.samediff.adapters;

import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Weighted sums of adapters: one adapter whose weight change is {@code sum_i w_i delta_i}, exactly, as LoRA factors side by side. PEFT's
 * {@code add_weighted_adapter(combination_type="cat")}.
 */
public final class AdapterSum {
    private AdapterSum() {}

    /**
     * One summand.
     *
     * @param state an adapter
     * @param weight its factor
     */
    public record Weighted(AdapterState state, double weight) {}

    /**
     * Returns the sum.
     *
     * @param name name of the new adapter
     * @param summands the adapters and their weights; layers need not be the same
     * @return a LoRA of the summed ranks for the unchanged base weights, whatever the adapters' methods
     * @throws InvalidInputException if there is no adapter, a weight is not finite, adapters differ in shape or base weight of a
     *     layer, or one of them trains tensors whole, of which there is no sum
     */
    public static AdapterState of(String name, List<Weighted> summands) {
        Map<String, List<WeightedLayers.Term>> byModule = WeightedLayers.of(summands);
        return WeightedLayers.state(
                name, byModule.values().stream().map(AdapterSum::sum).toList(), summands);
    }

    private static AdapterState.Site sum(List<WeightedLayers.Term> terms) {
        INDArray[] a = terms.stream().map(term -> term.plain().a()).toArray(INDArray[]::new);
        INDArray[] b = terms.stream()
                .map(term -> term.plain().b().mul(term.weight() * term.scaling()))
                .toArray(INDArray[]::new);
        return WeightedLayers.site(terms, Nd4j.concat(a[0].rank() - 1, a), Nd4j.concat(b[0].rank() - 2, b));
    }
}
