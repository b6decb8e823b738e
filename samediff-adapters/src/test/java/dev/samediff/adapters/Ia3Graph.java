package dev.samediff.adapters;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.method.Ia3;
import java.util.Map;
import java.util.Objects;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A block of two layers for tests of (IA)^3, and its adapters. */
final class Ia3Graph {
    static final Ia3 METHOD = Ia3.ofFeedforward("down");

    private Ia3Graph() {}

    /** y = act((x Wup + bup)) Wdown + bdown, with the weights stored either way, or without biases. */
    static SameDiff graph(DataType type, Orientation orientation, boolean biases) {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", type, -1, 5);
        SDVariable hidden = layer(graph, "block.up", x, 5, 7, type, orientation, biases);
        SDVariable out = layer(graph, "block.down", graph.math.tanh("h", hidden), 7, 4, type, orientation, biases);
        out.add("out", 0.0);
        SDVariable error = graph.getVariable("out").sub("error", graph.placeHolder("y", type, -1, 4));
        error.mul("squares", error).mean("loss");
        graph.setLossVariables("loss");
        return graph;
    }

    private static SDVariable layer(
            SameDiff graph,
            String name,
            SDVariable x,
            int in,
            int out,
            DataType type,
            Orientation orientation,
            boolean bias) {
        boolean turned = orientation == Orientation.OUT_IN;
        SDVariable weight = graph.var(name + ".weight", random(type, turned ? out : in, turned ? in : out));
        SDVariable product = graph.mmul(name + "/product", x, weight, false, turned, false);
        return bias ? product.add(name + "/sum", graph.var(name + ".bias", random(type, out))) : product;
    }

    static INDArray random(DataType type, long... shape) {
        return Nd4j.rand(DataType.DOUBLE, shape).subi(0.5).castTo(type);
    }

    static Map<String, INDArray> feeds(DataType type) {
        return Map.of("x", random(type, 3, 5), "y", random(type, 3, 4));
    }

    static INDArray output(SameDiff graph, Map<String, INDArray> feeds) {
        return Objects.requireNonNull(graph.output(feeds, "out").get("out")).dup('c');
    }

    static String variable(AdaptedModel model, String module) {
        return model.sites().stream()
                .filter(site -> site.module().endsWith(module))
                .findFirst()
                .orElseThrow()
                .trainables()
                .values()
                .iterator()
                .next();
    }

    static void perturb(AdaptedModel model) {
        Map<String, INDArray> values = model.trainables();
        values.replaceAll((name, value) -> value.add(random(value.dataType(), value.shape())));
        model.restore(values);
    }

    static double distance(INDArray a, INDArray b) {
        assertThat(a.shape()).isEqualTo(b.shape());
        return a.castTo(DataType.DOUBLE)
                .sub(b.castTo(DataType.DOUBLE))
                .amaxNumber()
                .doubleValue();
    }

    static AdapterState trained() {
        AdaptedModel model =
                AdaptedModel.inject(graph(DataType.FLOAT, Orientation.OUT_IN, true), AdapterConfig.of(METHOD));
        perturb(model);
        return model.state();
    }
}
