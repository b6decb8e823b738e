package dev.samediff.dl4j.testing;

import dev.samediff.dl4j.conf.AdaptedLayer;
import dev.samediff.dl4j.layer.RunningLayer;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What tests look at in adapted networks. */
public final class Adapted {
    private Adapted() {}

    /** Returns the names of the network's trainable tensors, without the layer's. */
    public static Set<String> trainable(RunningLayer layer) {
        AdaptedLayer conf = (AdaptedLayer) layer.getConfig();
        Set<String> keys = new TreeSet<>();
        layer.paramTable().keySet().stream()
                .filter(key -> conf.trainable(key).isPresent())
                .forEach(keys::add);
        return keys;
    }

    /** Returns the names of everything frozen, as the network's parameter table has them. */
    public static Set<String> frozen(Model network) {
        Set<String> names = new TreeSet<>(network.paramTable().keySet());
        names.removeAll(trainable(network));
        return names;
    }

    /** Returns the names of everything trainable in adapted layers, as the network's parameter table has them. */
    public static Set<String> trainable(Model network) {
        Set<String> names = new TreeSet<>();
        Layer[] layers = layers(network);
        for (int i = 0; i < layers.length; i++) {
            if (layers[i] instanceof RunningLayer layer) {
                String prefix =
                        network instanceof ComputationGraph ? layer.getConfig().getLayerName() : "" + i;
                trainable(layer).forEach(key -> names.add(prefix + "_" + key));
            }
        }
        return names;
    }

    /** Moves all trainable tensors away from their start. */
    public static void disturb(Model network, double size) {
        Random random = new Random(11);
        network.paramTable().forEach((name, array) -> {
            if (trainable(network).contains(name)) {
                INDArray noise = Nd4j.create(array.dataType(), array.shape());
                for (long i = 0; i < noise.length(); i++) {
                    noise.putScalar(i, size * random.nextGaussian());
                }
                array.addi(noise);
            }
        });
    }

    /** Returns the largest difference. */
    public static double difference(INDArray a, INDArray b) {
        return a.sub(b.castTo(a.dataType())).amaxNumber().doubleValue();
    }

    private static Layer[] layers(Model network) {
        return network instanceof MultiLayerNetwork list ? list.getLayers() : ((ComputationGraph) network).getLayers();
    }
}
