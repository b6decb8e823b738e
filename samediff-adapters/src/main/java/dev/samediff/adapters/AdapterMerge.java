package dev.samediff.adapters;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Weighted merges of adapters into one LoRA for the unchanged base weights, whatever their methods: PEFT's {@code
 * add_weighted_adapter}, without its mistakes in scaling (the merged adapter has s = 1 here, also of rank-stabilised ones; a change's
 * scaling counts once). {@link AdapterSum} is the exact weighted sum ({@code cat}).
 */
public final class AdapterMerge {
    private AdapterMerge() {}

    /**
     * Merges weight changes {@code D_i = s_i A_i B_i} by a rule, and takes the best approximation of a rank: PEFT's {@code svd}, {@code
     * ties_svd}, {@code dare_linear_svd}, {@code dare_ties_svd} and {@code magnitude_prune_svd}. This is what the papers mean.
     *
     * @param name name of the new adapter
     * @param summands the adapters and their weights; layers need not be the same
     * @param rule how changes become one
     * @param rank rank of the new adapter; a narrower layer has the rank of its width
     * @throws InvalidInputException if adapters do not fit each other ({@link AdapterSum#of}), or experts are to be merged by another
     *     rule than a sum
     */
    public static Approximation ofChanges(String name, List<AdapterSum.Weighted> summands, MergeRule rule, int rank) {
        if (rank < 1) {
            throw new InvalidInputException(
                    "the rank " + rank + " of the merged adapter is not positive; give 1 or more");
        }
        if (rule.how() == MergeRule.How.LINEAR) {
            return ToLora.ofRank(AdapterSum.of(name, summands), rank);
        }
        Map<String, List<WeightedLayers.Term>> byModule = WeightedLayers.of(summands);
        Approximation.Errors errors = new Approximation.Errors();
        List<AdapterState.Site> sites = new ArrayList<>();
        byModule.forEach((module, terms) -> {
            AdapterState.Site site = terms.get(0).site();
            if (site.kind() == SiteKind.EXPERTS) {
                throw new InvalidInputException(
                        "`" + module + "` is a stack of experts, whose changes are merged by sums only;"
                                + " take AdapterSum, or the linear rule");
            }
            double[] merged = rule.apply(
                    terms.stream().map(AdapterMerge::change).toList(),
                    terms.stream().mapToDouble(WeightedLayers.Term::weight).toArray(),
                    module);
            INDArray change = Nd4j.createFromArray(merged).reshape('c', site.in(), site.out());
            LowRankTruncation factors = LowRankTruncation.of(change, Math.min(rank, Math.min(site.in(), site.out())));
            errors.add(module, factors.lost(), factors.all());
            sites.add(WeightedLayers.site(terms, factors.a(), factors.b()));
        });
        return errors.of(WeightedLayers.state(name, sites, summands));
    }

    /**
     * Merges the factors A and B apart: PEFT's {@code linear}, {@code ties}, {@code dare_linear}, {@code dare_ties} and {@code
     * magnitude_prune}, {@code A = rule(A_i, sign(w_i s_i) sqrt|w_i s_i|)}, {@code B = rule(B_i, sqrt|w_i s_i|)}. The product has terms
     * A_i B_j that no adapter has, so it makes sense for adapters that share one start only; {@link #ofChanges} has none.
     *
     * @param name name of the new adapter
     * @param summands the adapters and their weights, of equal ranks
     * @param rule how factors become one
     * @throws InvalidInputException if adapters do not fit each other, or differ in rank on a layer
     */
    public static AdapterState ofFactors(String name, List<AdapterSum.Weighted> summands, MergeRule rule) {
        Map<String, List<WeightedLayers.Term>> byModule = WeightedLayers.of(summands);
        List<AdapterState.Site> sites = new ArrayList<>();
        byModule.forEach((module, terms) -> {
            WeightedLayers.Term first = terms.get(0);
            for (WeightedLayers.Term term : terms) {
                if (term.plain().rank() != first.plain().rank()) {
                    throw new InvalidInputException("the layer `" + module + "` has the rank "
                            + first.plain().rank() + " in the adapter `" + first.adapter() + "` and "
                            + term.plain().rank() + " in `" + term.adapter()
                            + "`, whose factors cannot be merged entry by entry; merge their changes (ofChanges), or take"
                            + " AdapterSum");
                }
            }
            double[] both = terms.stream()
                    .mapToDouble(term -> term.weight() * term.scaling())
                    .toArray();
            double[] up = Arrays.stream(both).map(w -> Math.sqrt(Math.abs(w))).toArray();
            double[] down = Arrays.stream(both)
                    .map(w -> Math.copySign(Math.sqrt(Math.abs(w)), w))
                    .toArray();
            sites.add(WeightedLayers.site(
                    terms,
                    merged(rule, terms.stream().map(term -> term.plain().a()).toList(), down, module + ".A"),
                    merged(rule, terms.stream().map(term -> term.plain().b()).toList(), up, module + ".B")));
        });
        return WeightedLayers.state(name, sites, summands);
    }

    private static INDArray merged(MergeRule rule, List<INDArray> tensors, double[] weights, String name) {
        double[] merged = rule.apply(tensors.stream().map(AdapterMerge::numbers).toList(), weights, name);
        return Nd4j.createFromArray(merged).reshape('c', tensors.get(0).shape()).castTo(DataType.FLOAT);
    }

    private static double[] change(WeightedLayers.Term term) {
        INDArray a = term.plain().a().castTo(DataType.DOUBLE);
        INDArray b = term.plain().b().castTo(DataType.DOUBLE);
        return numbers(a.mmul(b).muli(term.scaling()));
    }

    private static double[] numbers(INDArray array) {
        return array.dup('c').data().asDouble();
    }
}
