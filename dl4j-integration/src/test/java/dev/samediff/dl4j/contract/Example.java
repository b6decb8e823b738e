package dev.samediff.dl4j.contract;

import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A layer of one class, and what is around it.
 *
 * @param type the class of DL4J
 * @param in what goes in
 * @param out what comes out; null of an output layer
 * @param layer makes the layer
 * @param labels makes the labels
 * @param untrained parameters that DL4J moves by another rule than the gradient of the score
 */
record Example(
        Class<?> type,
        Shape in,
        @Nullable Shape out,
        Supplier<Layer> layer,
        Supplier<INDArray> labels,
        List<String> untrained) {

    static Example of(Class<?> type, Shape in, Shape out, Supplier<Layer> layer) {
        return new Example(type, in, out, layer, () -> classes(Shape.EXAMPLES, Shape.CLASSES), List.of());
    }

    static Example output(Class<?> type, Shape in, Supplier<Layer> layer, Supplier<INDArray> labels) {
        return new Example(type, in, null, layer, labels, List.of());
    }

    Example except(String... parameters) {
        return new Example(type, in, out, layer, labels, List.of(parameters));
    }

    /** Returns whether only a network's input can go in. */
    boolean isInput() {
        return in.bottom().isEmpty();
    }

    /** Returns whether it draws random numbers in training, or takes the batch into account. */
    boolean isRandom() {
        return type == DropoutLayer.class
                || type == BatchNormalization.class
                || layer.get().getIDropout() != null;
    }

    /** Returns the example with a setting on its layer. */
    Example with(Consumer<Layer> setting) {
        Supplier<Layer> set = () -> {
            Layer made = layer.get();
            setting.accept(made);
            return made;
        };
        return new Example(type, in, out, set, labels, untrained);
    }

    /** Returns the example with what goes in and out where a wrapper holds the layer. */
    Example inside(String wrapper) {
        return switch (wrapper) {
            case "LastTimeStep" -> new Example(type, in, out == null ? null : Shape.FLAT, layer, labels, untrained);
            case "TimeDistributed" -> new Example(type, Shape.SEQUENCE, Shape.SEQUENCE, layer, labels, untrained);
            default -> this;
        };
    }

    /** Returns the names that a network around the layer gives its parameters. */
    List<String> parameters(MultiLayerNetwork network) {
        String prefix = in.bottom().size() + "_";
        return network.paramTable().keySet().stream()
                .filter(name -> name.startsWith(prefix))
                .toList();
    }

    /** Returns those of {@link #parameters} that are not trained by the gradient of the score. */
    List<String> untrained(MultiLayerNetwork network) {
        return parameters(network).stream()
                .filter(name -> untrained.contains(name.substring(name.indexOf('_') + 1)))
                .toList();
    }

    /** One of the classes (axis 1) at every place. */
    static INDArray classes(long... shape) {
        Random random = new Random(5);
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, shape);
        long places = labels.length() / shape[0] / shape[1];
        for (long i = 0; i < shape[0]; i++) {
            for (long place = 0; place < places; place++) {
                long flat = (i * shape[1] + random.nextInt((int) shape[1])) * places + place;
                labels.putScalar(flat, 1);
            }
        }
        return labels;
    }

    @Override
    public String toString() {
        return type.getSimpleName();
    }
}
