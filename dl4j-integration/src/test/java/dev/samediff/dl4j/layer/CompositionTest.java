package dev.samediff.dl4j.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.adapters.method.Dora;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.dl4j.conf.WeightAdapter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Weights whose columns are brought to lengths: gradients against differences in which the lengths of V stand still, as in DoRA. */
class CompositionTest {
    private static final double STEP = 1e-6;

    static Stream<Dora> methods() {
        return Stream.of(new Dora(Lora.rank(2).withAlpha(3)), new Dora(Pissa.rank(2)));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void gradients_do_not_go_through_the_lengths(Dora method) {
        INDArray base = Nd4j.rand(DataType.DOUBLE, 5, 4).sub(0.5);
        SiteShape site =
                new SiteShape("layer", 5, 4, 2, method.scaling(2, method.alpha().orElse(2)));
        Factorization start = method.factorize(base, site, new LapackDecompositions(), 1);
        WeightAdapter adapter =
                WeightAdapter.of("W", site, method, method.alpha().orElse(2), 1, start, 0.1, 1);
        Composition composition = new Composition(adapter, DataType.DOUBLE);
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        adapter.tensors().forEach(tensor -> {
            INDArray value = start.trainables().get(tensor.name()).castTo(DataType.DOUBLE);
            if (!start.startsAtZero()) {
                tensors.put(adapter.startKey(tensor), value);
            }
            tensors.put(
                    adapter.key(tensor),
                    value.add(Nd4j.rand(DataType.DOUBLE, value.shape()).mul(0.3)));
        });
        INDArray upstream = Nd4j.rand(DataType.DOUBLE, 5, 4).sub(0.5);
        INDArray lengths = method.magnitude()
                .map(name -> tensors.get("W." + name.replace("_", "")))
                .orElseThrow();
        INDArray present = composed(composition, base, tensors).norm2(0).div(lengths); // 1 if lengths are met
        assertThat(present.sub(1).norm2Number().doubleValue()).isCloseTo(0, within(1e-12));
        INDArray still = lengths.div(directions(base, tensors, site.scaling()).norm2(0));
        Map<String, INDArray> gradients = composition.gradients(base, tensors, upstream);
        for (Map.Entry<String, INDArray> gradient : gradients.entrySet()) {
            INDArray tensor = tensors.get(gradient.getKey());
            boolean isLengths = tensor == lengths;
            for (long i = 0; i < tensor.length(); i++) {
                double value = tensor.getDouble(i);
                double[] values = new double[2];
                for (int side = 0; side < 2; side++) {
                    tensor.putScalar(i, value + (side == 0 ? STEP : -STEP));
                    INDArray weight = isLengths
                            ? composed(composition, base, tensors)
                            : directions(base, tensors, site.scaling()).mulRowVector(still);
                    values[side] = weight.mul(upstream).sumNumber().doubleValue();
                }
                tensor.putScalar(i, value);
                assertThat(gradient.getValue().getDouble(i))
                        .as("%s[%d]", gradient.getKey(), i)
                        .isCloseTo((values[0] - values[1]) / (2 * STEP), within(1e-7));
            }
        }
    }

    private static INDArray composed(Composition composition, INDArray base, Map<String, INDArray> tensors) {
        INDArray target = Nd4j.create(DataType.DOUBLE, base.shape());
        composition.weight(base, tensors, target);
        return target;
    }

    /** V, written out. */
    private static INDArray directions(INDArray base, Map<String, INDArray> tensors, double s) {
        INDArray v =
                base.add(tensors.get("W.loraA").mmul(tensors.get("W.loraB")).mul(s));
        if (tensors.containsKey("W.loraA0")) {
            v.subi(tensors.get("W.loraA0").mmul(tensors.get("W.loraB0")).mul(s));
        }
        return v;
    }
}
