package dev.samediff.dl4j;

import dev.samediff.dl4j.layer.RunningLayer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link AdapterTransfer} for networks that are a list of layers. */
final class MultiLayerNetworks {
    private MultiLayerNetworks() {}

    static MultiLayerNetwork adapt(MultiLayerNetwork network, TransferOptions<?> options) {
        MultiLayerConfiguration conf = network.getLayerWiseConfigurations().clone();
        List<NetworkLayer> layers = new ArrayList<>();
        for (int i = 0; i < network.getnLayers(); i++) {
            layers.add(FlatParameters.layer(conf.getConf(i), "layer" + i, i, network.getLayer(i), options));
        }
        Truncation.requireSupported(conf.getBackpropType(), layers);
        Adaptation adaptation = new Adaptation(options, layers, Set.of());
        boolean passed = false;
        for (NetworkLayer layer : layers) {
            passed |= adaptation.trains(layer.name());
            boolean last = layer.index() == layers.size() - 1;
            conf.getConf(layer.index())
                    .setLayer(
                            passed || last || layer.parameters() == null
                                    ? adaptation.configuration(layer)
                                    : Adaptation.frozen(layer));
        }
        conf.setIterationCount(0);
        conf.setEpochCount(0);
        if (options.fineTune != null) {
            options.fineTune.applyToMultiLayerConfiguration(conf);
        }
        MultiLayerNetwork adapted = new MultiLayerNetwork(conf);
        adapted.init(FlatParameters.join(layers, adaptation, conf.getDataType()), false);
        return adapted;
    }

    static MultiLayerNetwork plain(MultiLayerNetwork adapted, Function<RunningLayer, INDArray> parameters) {
        MultiLayerConfiguration conf = adapted.getLayerWiseConfigurations().clone();
        List<INDArray> vectors = new ArrayList<>();
        boolean any = false;
        for (int i = 0; i < adapted.getnLayers(); i++) {
            NeuralNetConfiguration layer = conf.getConf(i);
            layer.setLayer(NetworkLayer.thawed(layer.getLayer()));
            layer.clearVariables();
            Layer running = adapted.getLayer(i);
            any |= running instanceof RunningLayer;
            vectors.add(FlatParameters.plain(running, parameters));
        }
        FlatParameters.requireAdapted(any);
        MultiLayerNetwork plain = new MultiLayerNetwork(conf);
        plain.init(FlatParameters.join(vectors, conf.getDataType()), false);
        return plain;
    }
}
