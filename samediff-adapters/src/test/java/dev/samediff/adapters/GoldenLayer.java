package dev.samediff.adapters;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.graph.LinearSites;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.testing.Npz;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.api.OutAndGrad;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One case of the golden collection (see its README): a linear layer {@code out = x W^T + b} with a mean squared error,
 * as a graph in the wanted orientation, and the numbers the reference gave. Arrays of the collection are in PyTorch's
 * layout; this class turns them into that of {@code x W}.
 */
final class GoldenLayer {
    static final String MODULE = "layer";

    private final JsonNode index;
    private final Map<String, INDArray> data;
    private final Map<String, INDArray> numbers;
    private final SameDiff graph = SameDiff.create();

    GoldenLayer(Path root, JsonNode index, Orientation orientation, DataType type) throws IOException {
        this.index = index;
        this.data = typed(Npz.read(root.resolve("data/" + index.get("data").asText() + ".npz")), type);
        this.numbers = typed(Npz.read(root.resolve(index.get("id").asText() + ".npz")), type);
        INDArray w = get(data, "W");
        boolean outIn = orientation == Orientation.OUT_IN;
        SDVariable x = graph.placeHolder("x", type, -1, w.size(1));
        SDVariable y = graph.placeHolder("y", type, -1, w.size(0));
        SDVariable weight =
                graph.var(MODULE + ".weight", outIn ? w.dup('c') : w.transpose().dup('c'));
        SDVariable product = graph.mmul("product", x, weight, false, outIn, false);
        SDVariable error =
                product.add("out", graph.var(MODULE + ".bias", get(data, "b"))).sub("error", y);
        error.mul("squares", error).mean("loss");
        graph.setLossVariables("loss");
    }

    private static Map<String, INDArray> typed(Map<String, INDArray> arrays, DataType type) {
        Map<String, INDArray> typed = new LinkedHashMap<>();
        arrays.forEach((name, array) -> typed.put(name, array.castTo(type)));
        return typed;
    }

    private static INDArray get(Map<String, INDArray> arrays, String name) {
        return Objects.requireNonNull(arrays.get(name), name);
    }

    SameDiff graph() {
        return graph;
    }

    /** A number of the collection, in PyTorch's layout. */
    INDArray golden(String name) {
        return get(numbers, name);
    }

    INDArray bias() {
        return get(data, "b");
    }

    boolean has(String name) {
        return numbers.containsKey(name);
    }

    /** A golden [out,in] or factor array in the layout of x W; vectors as they are. */
    INDArray inOut(String name) {
        INDArray array = golden(name);
        return array.rank() == 2 ? array.transpose().dup('c') : array;
    }

    Map<String, INDArray> feeds() {
        return Map.of("x", get(data, "x"), "y", get(data, "y"));
    }

    INDArray output() {
        return get(graph.output(feeds(), "out"), "out").dup();
    }

    /** The weight in the graph in PyTorch's layout. */
    INDArray weight(Orientation orientation) {
        return orientation
                .asInOut(graph.getVariable(MODULE + ".weight").getArr())
                .transpose();
    }

    OutAndGrad outputsAndGradients(AdaptedModel model) {
        return graph.calculateGradientsAndOutputs(feeds(), List.of("loss", "out"), model.trainableNames());
    }

    /** Injects the factors the reference started from. */
    AdaptedModel injectGolden(AdapterMethod method, double scaling, String... shortNames) {
        Map<String, INDArray> start = new LinkedHashMap<>();
        for (String name : shortNames) {
            start.put(name, inOut(name.substring(name.length() - 1) + "0"));
        }
        INDArray w = get(data, "W");
        String hash = BaseHash.ofWeight(graph.getVariable(MODULE + ".weight").getArr());
        AdapterState.Site site = new AdapterState.Site(
                MODULE,
                MODULE + ".weight",
                (int) w.size(1),
                (int) w.size(0),
                index.get("r").asInt(),
                scaling * index.get("r").asInt(),
                scaling,
                start,
                start,
                method.name().equals("lora"),
                hash);
        AdapterConfig config = AdapterConfig.of(method);
        return AdaptedModel.inject(
                graph, Map.of(), new AdapterState(config, List.of(site), BaseHash.of(Map.of(MODULE, hash))));
    }

    /** Sets the trainable tensors to golden ones, such as those with the suffix {@code p}. */
    void set(AdaptedModel model, String suffix) {
        Map<String, INDArray> values = new LinkedHashMap<>();
        model.sites()
                .get(0)
                .trainables()
                .forEach((name, variable) -> values.put(variable, inOut(name.substring(name.length() - 1) + suffix)));
        model.restore(values);
    }

    int sites() {
        return LinearSites.scan(graph).size();
    }
}
