package dev.samediff.adapters;

import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The layers of adapters that become one: which have a part in each, and the adapter that is made of the results. */
final class WeightedLayers {
    private WeightedLayers() {}

    /**
     * One adapter's part of a layer.
     *
     * @param adapter its name
     * @param site the layer as it is in it
     * @param plain the same change as factors
     * @param weight the adapter's factor
     */
    record Term(String adapter, AdapterState.Site site, AdapterState.PlainLora plain, double weight) {
        /** s, which A and B are multiplied by. */
        double scaling() {
            return plain.alpha() / plain.rank();
        }
    }

    /**
     * Returns the parts by module.
     *
     * @throws InvalidInputException if there is no adapter, a weight is not finite, adapters differ in shape or base weight of a
     *     layer, or one of them does what factors do not express
     */
    static Map<String, List<Term>> of(List<AdapterSum.Weighted> summands) {
        if (summands.isEmpty()) {
            throw new InvalidInputException("there are no adapters to add up");
        }
        Map<String, List<Term>> byModule = new LinkedHashMap<>();
        summands.forEach(summand -> addTerms(summand.state(), summand.weight(), byModule));
        byModule.values().forEach(terms -> terms.forEach(term -> requireSame(terms.get(0), term)));
        return byModule;
    }

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

    /** Returns the layer of the new adapter, a LoRA with s = 1 of these factors. */
    static AdapterState.Site site(List<Term> terms, INDArray a, INDArray b) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put("lora_A", a);
        tensors.put("lora_B", b);
        Map<String, INDArray> start = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> start.put(name, tensor.dup('c')));
        AdapterState.Site site = terms.stream()
                .map(Term::site)
                .filter(each -> !each.kernel().isEmpty())
                .findFirst()
                .orElse(terms.get(0).site());
        String hash = terms.stream()
                .map(term -> term.site().weightHash())
                .filter(each -> !each.equals(AdapterState.UNKNOWN_HASH))
                .findFirst()
                .orElse(AdapterState.UNKNOWN_HASH);
        return site.withLora(1, tensors, start, hash);
    }

    /** Returns the new adapter. */
    static AdapterState state(String name, List<AdapterState.Site> sites, List<AdapterSum.Weighted> summands) {
        AdapterConfig config = new AdapterConfig(
                name,
                Lora.rank(sites.get(0).rank()),
                TargetSelector.suffixes(
                        sites.stream().map(AdapterState.Site::module).toList()),
                summands.get(0).state().config().seed());
        Map<String, String> hashes = new LinkedHashMap<>();
        sites.forEach(site -> hashes.put(site.module(), site.weightHash()));
        return new AdapterState(config, sites, BaseHash.of(hashes));
    }

    private static String described(AdapterState.Site site) {
        return site.kernel().isEmpty() ? site.kind().toString() : "convolution " + site.kernel();
    }

    /** Whether two layers are convolutions of one kernel, or none; early versions did not save kernels. */
    private static boolean sameKernel(AdapterState.Site a, AdapterState.Site b) {
        return a.kernel().isEmpty() || b.kernel().isEmpty() || a.kernel().equals(b.kernel());
    }

    private static void requireSame(Term first, Term other) {
        AdapterState.Site a = first.site();
        AdapterState.Site b = other.site();
        if (a.in() != b.in()
                || a.out() != b.out()
                || a.experts() != b.experts()
                || a.kind() != b.kind()
                || !sameKernel(a, b)) {
            throw new InvalidInputException(
                    "the layer `" + a.module() + "` is [" + a.in() + "," + a.out() + "] " + described(a)
                            + " in the adapter `" + first.adapter() + "` and [" + b.in() + "," + b.out() + "] "
                            + described(b) + " in `"
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
