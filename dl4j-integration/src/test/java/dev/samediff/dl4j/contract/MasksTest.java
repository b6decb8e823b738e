package dev.samediff.dl4j.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.dl4j.AdapterTransfer;
import dev.samediff.dl4j.testing.Adapted;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Masks that reach a recurrent layer inside of a wrapper: the gradient is right, or refused. */
class MasksTest {
    private static final double[][] NONE = {{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}};
    private static final double[][] AT_THE_END = {{1, 1, 1, 0, 0}, {1, 1, 1, 1, 1}, {1, 0, 0, 0, 0}};
    private static final double[][] AT_THE_BEGINNING = {{0, 0, 1, 1, 1}, {1, 1, 1, 1, 1}, {0, 0, 0, 0, 1}};
    private static final double[][] INSIDE = {{1, 1, 0, 1, 1}, {1, 1, 1, 1, 1}, {1, 0, 1, 0, 1}};

    @BeforeAll
    static void doubles() {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    }

    @AfterAll
    static void floats() {
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }

    private static BaseRecurrentLayer lstm() {
        return new LSTM.Builder().nIn(3).nOut(4).build();
    }

    private static BaseRecurrentLayer graves() {
        return new GravesLSTM.Builder().nIn(3).nOut(4).build();
    }

    private static BaseRecurrentLayer simple() {
        return new SimpleRnn.Builder().nIn(3).nOut(4).build();
    }

    private static Layer both(Layer layer) {
        return new Bidirectional(Bidirectional.Mode.ADD, layer);
    }

    static Stream<Arguments> right() {
        return Stream.of(
                        Stream.of(lstm(), graves(), simple(), both(lstm()), both(graves()), both(simple()))
                                .map(layer -> Arguments.of(layer, NONE)),
                        Stream.of(lstm(), graves(), simple(), both(simple()))
                                .map(layer -> Arguments.of(layer, AT_THE_END)),
                        Stream.of(simple(), both(simple())).map(layer -> Arguments.of(layer, AT_THE_BEGINNING)),
                        Stream.of(simple(), both(simple())).map(layer -> Arguments.of(layer, INSIDE)))
                .flatMap(stream -> stream);
    }

    static Stream<Arguments> wrong() {
        return Stream.of(
                        Stream.of(both(lstm()), both(graves())).map(layer -> Arguments.of(layer, AT_THE_END)),
                        Stream.of(lstm(), graves(), both(lstm())).map(layer -> Arguments.of(layer, AT_THE_BEGINNING)),
                        Stream.of(lstm(), graves(), both(graves())).map(layer -> Arguments.of(layer, INSIDE)))
                .flatMap(stream -> stream);
    }

    private static MultiLayerNetwork network(Layer wrapped) {
        Layer layer = wrapped.clone();
        layer.setLayerName(Networks.TESTED);
        var list = Networks.settings().list().layer(layer);
        Layer output = layer instanceof LastTimeStep
                ? OutputExamples.output()
                : new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(Shape.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build();
        output.setLayerName(Networks.OUTPUT);
        MultiLayerNetwork network = new MultiLayerNetwork(
                list.layer(output).setInputType(InputType.recurrent(3, 5)).build());
        network.init();
        return network;
    }

    /** Steps that are masked are zero in the features, which is what {@code MaskZeroLayer} looks at. */
    private static MultiDataSet data(double[][] mask, boolean isLast) {
        INDArray features = Shape.SEQUENCE.features();
        INDArray array = Nd4j.createFromArray(mask);
        for (int feature = 0; feature < 3; feature++) {
            features.get(NDArrayIndex.all(), NDArrayIndex.point(feature), NDArrayIndex.all())
                    .muli(array);
        }
        return isLast
                ? new MultiDataSet(
                        new INDArray[] {features},
                        new INDArray[] {Example.classes(Shape.EXAMPLES, Shape.CLASSES)},
                        new INDArray[] {array},
                        null)
                : new MultiDataSet(
                        new INDArray[] {features},
                        new INDArray[] {Example.classes(Shape.EXAMPLES, Shape.CLASSES, 5)},
                        null,
                        new INDArray[] {array.dup()});
    }

    private static MultiLayerNetwork adapted(Layer layer, boolean inFull) {
        AdapterTransfer.Builder transfer = new AdapterTransfer.Builder(network(layer)).method(Lora.rank(2));
        MultiLayerNetwork adapted = inFull
                ? transfer.layers(Networks.OUTPUT).trainFully(Networks.TESTED).build()
                : transfer.layers(Networks.TESTED).build();
        Adapted.disturb(adapted, 0.3);
        return adapted;
    }

    @ParameterizedTest
    @MethodSource("right")
    void a_gradient_under_a_mask_is_right(Layer layer, double[][] mask) {
        for (boolean inFull : new boolean[] {false, true}) {
            for (Layer wrapped : new Layer[] {new LastTimeStep(layer), new MaskZeroLayer(layer, 0.0)}) {
                MultiLayerNetwork adapted = adapted(wrapped, inFull);
                Set<String> trained = new TreeSet<>(Adapted.trainable(adapted));
                if (inFull) {
                    adapted.paramTable().keySet().stream()
                            .filter(name -> name.startsWith("0_"))
                            .forEach(trained::add);
                }
                Deviation deviation = Deviation.of(
                        new Trial(adapted, data(mask, wrapped instanceof LastTimeStep)), trained, Set.of());
                assertThat(deviation.relative())
                        .as("%s in full %s: %s", wrapped.getClass(), inFull, deviation)
                        .isLessThan(Contract.GRADIENT);
            }
        }
    }

    @Test
    void an_error_that_reaches_padding_is_refused() {
        Trial trial = new Trial(adapted(new MaskZeroLayer(lstm(), 0.0), false), data(AT_THE_END, false));
        trial.fit();
        MultiDataSet unmasked = data(AT_THE_END, false);
        unmasked.setLabelsMaskArray(null);
        assertThatThrownBy(new Trial(trial.network(), unmasked)::fit)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("`tested`", "that the layer above does not mask", "mask the labels too");
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void a_gradient_that_dl4j_gets_wrong_is_refused(Layer layer, double[][] mask) {
        for (boolean inFull : new boolean[] {false, true}) {
            for (Layer wrapped : new Layer[] {new LastTimeStep(layer), new MaskZeroLayer(layer, 0.0)}) {
                Trial trial = new Trial(adapted(wrapped, inFull), data(mask, wrapped instanceof LastTimeStep));
                assertThatThrownBy(trial::fit)
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContainingAll("`tested`", "masked step", "Pad sequences at their end");
                assertThat(trial.score(false)).isFinite();
            }
        }
    }
}
