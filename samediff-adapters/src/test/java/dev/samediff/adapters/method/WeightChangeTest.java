package dev.samediff.adapters.method;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.linalg.LapackDecompositions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The change of a weight and its gradients, as every method computes them from float64 tensors. */
class WeightChangeTest {
    private static final double SCALING = 2;

    static List<AdapterMethod> methods() {
        return AdapterMethods.names().stream()
                .map(name -> AdapterMethods.named(name, 2))
                .filter(AdapterMethod::isLowRank) // others are no change to add to a weight
                .toList();
    }

    /** Tensors away from the start, where LoRA's B is zero. */
    private static Map<String, INDArray> tensors(AdapterMethod method) {
        INDArray weight = Nd4j.rand(DataType.FLOAT, 5, 4);
        SiteShape site = new SiteShape("layer", 5, 4, 2, SCALING, SiteKind.LINEAR);
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        method.factorize(weight, site, new LapackDecompositions(), 1)
                .trainables()
                .forEach((name, array) -> tensors.put(
                        name, array.castTo(DataType.DOUBLE).add(Nd4j.rand(DataType.DOUBLE, array.shape()))));
        return tensors;
    }

    private static Map<String, INDArray> copy(Map<String, INDArray> tensors) {
        Map<String, INDArray> copy = new LinkedHashMap<>();
        tensors.forEach((name, array) -> copy.put(name, array.dup()));
        return copy;
    }

    @ParameterizedTest
    @MethodSource("methods")
    void float64_tensors_are_not_changed(AdapterMethod method) {
        Map<String, INDArray> tensors = tensors(method);
        Map<String, INDArray> before = copy(tensors);
        INDArray first = method.delta(tensors, SCALING);
        method.deltaGradients(tensors, SCALING, Nd4j.rand(DataType.DOUBLE, 5, 4));
        assertThatBits(method.delta(tensors, SCALING)).isEqualTo(first);
        before.forEach(
                (name, array) -> assertThatBits(tensors.get(name)).as(name).isEqualTo(array));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void gradients_are_those_of_finite_differences(AdapterMethod method) {
        Map<String, INDArray> tensors = tensors(method);
        INDArray direction = Nd4j.rand(DataType.DOUBLE, 5, 4);
        Map<String, INDArray> gradients = method.deltaGradients(tensors, SCALING, direction);
        method.magnitude().ifPresent(tensors::remove); // no part of the change, nor is a bias
        method.bias().ifPresent(tensors::remove);
        assertThat(gradients.keySet()).isEqualTo(tensors.keySet());
        tensors.forEach((name, array) -> {
            for (long i = 0; i < array.length(); i++) {
                double value = array.getDouble(i);
                array.putScalar(i, value + 1e-4);
                double above = method.delta(tensors, SCALING)
                        .mul(direction)
                        .sumNumber()
                        .doubleValue();
                array.putScalar(i, value - 1e-4);
                double below = method.delta(tensors, SCALING)
                        .mul(direction)
                        .sumNumber()
                        .doubleValue();
                array.putScalar(i, value);
                assertThat(gradients.get(name).getDouble(i))
                        .as(name + "[" + i + "]")
                        .isCloseTo((above - below) / 2e-4, within(1e-6));
            }
        });
    }
}
