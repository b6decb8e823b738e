package dev.samediff.adapters;

import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
        if (summands.isEmpty()) {
            throw new InvalidInputException("there are no adapters to add up");
        }
        Map<String, List<Term>> byModule = new LinkedHashMap<>();
        summands.forEach(summand -> addTerms(summand.state(), summand.weight(), byModule));
        List<AdapterState.Site> sites =
                byModule.values().stream().map(AdapterSum::sum).toList();
        AdapterConfig config = new AdapterConfig(
                name,
                Lora.rank(sites.get(0).rank()),
                TargetSelector.suffixes(List.copyOf(byModule.keySet())),
                summands.get(0).state().config().seed());
        Map<String, String> hashes = new LinkedHashMap<>();
        sites.forEach(site -> hashes.put(site.module(), site.weightHash()));
        return new AdapterState(config, sites, BaseHash.of(hashes));
    }

    /** One adapter's part of a layer. */
    private record Term(String adapter, AdapterState.Site site, AdapterState.PlainLora plain, double weight) {}

    private static void addTerms(AdapterState state, double weight, Map<String, List<Term>> byModule) {
        String adapter = state.config().name();
        if (!Double.isFinite(weight)) {
            throw new InvalidInputException(
                    "the weight of the adapter `" + adapter + "` is " + weight + "; give a finite number");
        }
        if (!state.whole().isEmpty()) {
            throw new InvalidInputException("the adapter `" + adapter + "` trains `"
                    + state.whole().get(0).key()
                    + "` whole, of which there is no weighted sum; add up adapters of low-rank factors alone");
        }
        List<AdapterState.PlainLora> plain = state.toPlainLora();
        if (plain.get(0).magnitude().isPresent()) {
            throw new InvalidInputException(
                    "the adapter `" + adapter
                            + "` sets the lengths of columns (dora), which is no sum with the base weight; merge it, or add up others");
        }
        if (plain.get(0).bias().isPresent()) {
            throw new InvalidInputException(
                    "the adapter `" + adapter
                            + "` adds a bias to layers (lora_bias), of which there is no sum of factors; merge it, or add up others");
        }
        for (int i = 0; i < plain.size(); i++) {
            AdapterState.Site site = state.sites().get(i);
            byModule.computeIfAbsent(site.module(), module -> new ArrayList<>())
                    .add(new Term(adapter, site, plain.get(i), weight));
        }
    }

    private static AdapterState.Site sum(List<Term> terms) {
        Term first = terms.get(0);
        terms.forEach(term -> requireSame(first, term));
        INDArray[] a = terms.stream().map(term -> term.plain().a()).toArray(INDArray[]::new);
        INDArray[] b = terms.stream()
                .map(term -> term.plain()
                        .b()
                        .mul(term.weight() * term.plain().alpha() / term.plain().rank()))
                .toArray(INDArray[]::new);
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put("lora_A", Nd4j.concat(a[0].rank() - 1, a));
        tensors.put("lora_B", Nd4j.concat(b[0].rank() - 2, b));
        Map<String, INDArray> start = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> start.put(name, tensor.dup('c')));
        int rank = terms.stream().mapToInt(term -> term.plain().rank()).sum();
        AdapterState.Site site = first.site();
        String hash = terms.stream()
                .map(term -> term.site().weightHash())
                .filter(each -> !each.equals(AdapterState.UNKNOWN_HASH))
                .findFirst()
                .orElse(AdapterState.UNKNOWN_HASH);
        return new AdapterState.Site(
                site.module(),
                site.weight(),
                site.in(),
                site.out(),
                rank,
                rank,
                1,
                tensors,
                start,
                true,
                hash,
                site.kind());
    }

    private static void requireSame(Term first, Term other) {
        AdapterState.Site a = first.site();
        AdapterState.Site b = other.site();
        if (a.in() != b.in() || a.out() != b.out() || a.experts() != b.experts() || a.kind() != b.kind()) {
            throw new InvalidInputException(
                    "the layer `" + a.module() + "` is [" + a.in() + "," + a.out() + "] " + a.kind()
                            + " in the adapter `" + first.adapter() + "` and [" + b.in() + "," + b.out() + "] "
                            + b.kind() + " in `"
                            + other.adapter() + "`; adapters of one base model can be added up");
        }
        boolean known = !a.weightHash().equals(AdapterState.UNKNOWN_HASH)
                && !b.weightHash().equals(AdapterState.UNKNOWN_HASH);
        if (known && !a.weightHash().equals(b.weightHash())) {
            throw new InvalidInputException(
                    "the layer `" + a.module() + "` has other base weights in the adapter `" + first.adapter()
                            + "` than in `" + other.adapter() + "`; adapters of one base model can be added up");
        }
    }
}
