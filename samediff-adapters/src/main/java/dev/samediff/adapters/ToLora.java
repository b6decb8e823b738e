package dev.samediff.adapters;

import dev.samediff.adapters.method.BiasedLora;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Lora;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Adapters of any method as a plain LoRA for the unchanged base weights. Tensors that are trained whole stay as they are, a bias
 * beside the factors too ({@link BiasedLora}). DoRA's lengths of columns are no low-rank change: the exact form keeps them, and no
 * other rank is made of them.
 */
public final class ToLora {
    private ToLora() {}

    /**
     * Returns the same change exactly: the rank is the method's if it starts at zero, and twice that of OLoRA, PiSSA and SORSA ({@link
     * AdapterState#toPlainLora}).
     */
    public static AdapterState exact(AdapterState state) {
        return exact(state, false);
    }

    /** Returns the same change with s = 1 and the scaling inside of B, so that all adapters have one scaling. */
    public static AdapterState withScalingInside(AdapterState state) {
        return exact(state, true);
    }

    private static AdapterState exact(AdapterState state, boolean inside) {
        List<AdapterState.Site> sites = new ArrayList<>();
        List<AdapterState.PlainLora> plain = state.toPlainLora();
        for (int i = 0; i < plain.size(); i++) {
            AdapterState.PlainLora layer = plain.get(i);
            double scaling = layer.alpha() / layer.rank();
            INDArray b = inside ? layer.b().mul(scaling) : layer.b();
            sites.add(site(state.sites().get(i), layer, layer.a(), b, inside ? 1 : scaling));
        }
        return with(state, sites, plain);
    }

    /**
     * Returns the closest change of a rank, by singular values of each layer's change in float64.
     *
     * @param state the adapter
     * @param rank rank of the new one; layers whose change has no higher rank stay exact
     * @throws InvalidInputException if the rank is not positive, or the adapter sets lengths of columns (DoRA)
     */
    public static Approximation ofRank(AdapterState state, int rank) {
        if (rank < 1) {
            throw new InvalidInputException("the rank " + rank + " is not positive; give 1 or more");
        }
        List<AdapterState.Site> sites = new ArrayList<>();
        List<AdapterState.PlainLora> plain = state.toPlainLora();
        Approximation.Errors errors = new Approximation.Errors();
        for (int i = 0; i < plain.size(); i++) {
            AdapterState.PlainLora layer = plain.get(i);
            AdapterState.Site site = state.sites().get(i);
            if (layer.magnitude().isPresent()) {
                throw new InvalidInputException(
                        "the adapter `" + state.config().name()
                                + "` sets the lengths of columns (dora), which is a change of full rank; save it as it is, or merge it");
            }
            if (layer.rank() <= rank) {
                errors.add(layer.module(), 0, squares(site, layer));
                sites.add(site(site, layer, layer.a(), layer.b(), layer.alpha() / layer.rank()));
            } else {
                sites.add(truncated(site, layer, rank, errors));
            }
        }
        return errors.of(with(state, sites, plain));
    }

    /** Squared Frobenius norm of a change, {@code s^2 sum (A^T A) (B B^T)}. */
    private static double squares(AdapterState.Site site, AdapterState.PlainLora layer) {
        boolean stacked = layer.kind() == SiteKind.EXPERTS;
        INDArray a = layer.a().castTo(DataType.DOUBLE);
        INDArray b = layer.b().castTo(DataType.DOUBLE).mul(layer.alpha() / layer.rank());
        double squares = 0;
        for (int expert = 0; expert < site.experts(); expert++) {
            INDArray down = stacked ? a.slice(expert) : a;
            INDArray up = stacked ? b.slice(expert) : b;
            squares += down.transpose()
                    .mmul(down)
                    .mul(up.mmul(up.transpose()))
                    .sumNumber()
                    .doubleValue();
        }
        return squares;
    }

    private static AdapterState.Site truncated(
            AdapterState.Site site, AdapterState.PlainLora layer, int rank, Approximation.Errors errors) {
        int fitting = Math.min(rank, Math.min(layer.in(), layer.out()));
        INDArray a = layer.a().castTo(DataType.DOUBLE);
        INDArray b = layer.b().castTo(DataType.DOUBLE).mul(layer.alpha() / layer.rank());
        if (layer.kind() != SiteKind.EXPERTS) {
            LowRankTruncation best = LowRankTruncation.ofProduct(a, b, fitting);
            errors.add(layer.module(), best.lost(), best.all());
            return site(site, layer, best.a(), best.b(), 1);
        }
        List<INDArray> down = new ArrayList<>();
        List<INDArray> up = new ArrayList<>();
        double lost = 0;
        double all = 0;
        for (int expert = 0; expert < site.experts(); expert++) {
            LowRankTruncation best = LowRankTruncation.ofProduct(a.slice(expert), b.slice(expert), fitting);
            down.add(best.a());
            up.add(best.b());
            lost += best.lost();
            all += best.all();
        }
        errors.add(layer.module(), lost, all);
        return site(
                site,
                layer,
                Nd4j.stack(0, down.toArray(new INDArray[0])),
                Nd4j.stack(0, up.toArray(new INDArray[0])),
                1);
    }

    private static AdapterState.Site site(
            AdapterState.Site site, AdapterState.PlainLora layer, INDArray a, INDArray b, double scaling) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put("lora_A", a.dup('c'));
        tensors.put("lora_B", b.dup('c'));
        layer.magnitude().ifPresent(lengths -> tensors.put(Dora.MAGNITUDE, lengths.dup('c')));
        double times = layer.alpha() / layer.rank() / scaling;
        layer.bias().ifPresent(bias -> tensors.put(BiasedLora.BIAS, bias.mul(times)));
        return site.withLora(scaling, tensors, tensors, site.weightHash());
    }

    private static AdapterState with(
            AdapterState state, List<AdapterState.Site> sites, List<AdapterState.PlainLora> plain) {
        AdapterConfig config = state.config();
        Lora lora = Lora.rank(sites.isEmpty() ? 1 : sites.get(0).rank());
        boolean lengths = plain.stream().anyMatch(layer -> layer.magnitude().isPresent());
        boolean biased = plain.stream().anyMatch(layer -> layer.bias().isPresent());
        AdapterMethod method = lengths ? new Dora(lora) : biased ? new BiasedLora(lora) : lora;
        return new AdapterState(
                new AdapterConfig(config.name(), method, config.targets(), config.seed(), config.whole()),
                sites,
                state.whole(),
                state.baseHash());
    }
}
