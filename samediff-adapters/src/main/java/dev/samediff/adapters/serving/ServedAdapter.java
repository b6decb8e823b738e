package dev.samediff.adapters.serving;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.method.BiasedLora;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Lora;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An adapter's numbers in the layout of the graph. They never change, so that requests read them while others replace the adapter.
 *
 * @param form which variables there are; adapters of one form use the same workers
 * @param arrays their numbers
 */
record ServedAdapter(Form form, Map<String, INDArray> arrays) {
    /** The base model without an adapter. */
    static final ServedAdapter NONE = new ServedAdapter(new Form(Map.of(), Map.of()), Map.of());

    /** All adapters have this name in workers' graphs, so that those of one form have the same variables. */
    private static final String NAME = "served";

    /**
     * All of an adapter that is not numbers of its variables, so that graphs of one form differ in these alone.
     *
     * @param variables type and shape by name
     * @param rows which rows of a tensor are the adapter's, by its key; none for all
     */
    record Form(Map<String, Variable> variables, Map<String, List<Integer>> rows) {}

    /** Type and shape of a variable. */
    record Variable(DataType type, List<Long> shape) {
        static Variable of(INDArray array) {
            return new Variable(
                    array.dataType(), Arrays.stream(array.shape()).boxed().toList());
        }
    }

    /**
     * Puts an adapter into a graph, and returns it as numbers.
     *
     * @param graph a copy of the base model; it is changed
     * @param paths module paths by weight variable
     * @param state the adapter
     */
    static ServedAdapter inject(SameDiff graph, Map<String, String> paths, AdapterState state) {
        AdaptedModel model = AdaptedModel.inject(graph, paths, plain(state));
        Map<String, INDArray> arrays = new LinkedHashMap<>();
        Map<String, Variable> variables = new LinkedHashMap<>();
        model.trainables().forEach((name, array) -> {
            arrays.put(name, array);
            variables.put(name, Variable.of(array));
        });
        Map<String, List<Integer>> rows = new LinkedHashMap<>();
        state.whole().forEach(whole -> rows.put(whole.key(), whole.rows()));
        return new ServedAdapter(new Form(variables, rows), arrays);
    }

    /**
     * The same change of the unchanged base weights as low-rank factors with the scaling inside, so that all adapters read one base
     * model, and the graph's scalings are the same for all.
     */
    private static AdapterState plain(AdapterState state) {
        List<AdapterState.Site> sites = new ArrayList<>();
        List<AdapterState.PlainLora> factors = state.toPlainLora();
        for (int i = 0; i < factors.size(); i++) {
            AdapterState.Site site = state.sites().get(i);
            AdapterState.PlainLora plain = factors.get(i);
            Map<String, INDArray> tensors = new LinkedHashMap<>();
            tensors.put("lora_A", plain.a());
            tensors.put("lora_B", plain.b().mul(plain.alpha() / plain.rank()));
            plain.bias().ifPresent(bias -> tensors.put(BiasedLora.BIAS, bias.mul(plain.alpha() / plain.rank())));
            plain.magnitude().ifPresent(lengths -> tensors.put(Dora.MAGNITUDE, lengths));
            sites.add(new AdapterState.Site(
                    site.module(),
                    site.weight(),
                    site.in(),
                    site.out(),
                    plain.rank(),
                    plain.rank(),
                    1,
                    tensors,
                    tensors,
                    true,
                    site.weightHash(),
                    site.kind()));
        }
        Lora lora = Lora.rank(factors.isEmpty() ? 1 : factors.get(0).rank());
        AdapterConfig config = new AdapterConfig(
                NAME,
                factors.isEmpty() ? lora : method(factors.get(0), lora),
                state.config().targets(),
                state.config().seed(),
                state.config().whole());
        return new AdapterState(config, sites, state.whole(), state.baseHash());
    }

    private static AdapterMethod method(AdapterState.PlainLora like, Lora lora) {
        if (like.bias().isPresent()) {
            return new BiasedLora(lora);
        }
        return like.magnitude().isPresent() ? new Dora(lora) : lora;
    }

    /** Returns the memory of the numbers in bytes. */
    long bytes() {
        return arrays.values().stream()
                .mapToLong(array -> array.length() * array.dataType().width())
                .sum();
    }
}
