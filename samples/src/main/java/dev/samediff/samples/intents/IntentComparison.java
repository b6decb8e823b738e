package dev.samediff.samples.intents;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.text.jsonl.LabelledText;
import dev.samediff.dl4j.AdapterTransfer;
import dev.samediff.samples.output.Progress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;

/**
 * Trains a network on the known half of the intents, adapts it to the new half in several ways, and measures what each
 * learned, what it forgot and what it cost.
 */
public final class IntentComparison {
    private static final int FEATURES = 2048;
    private static final int WIDTH = 128;

    private final IntentData data;
    private final IntentPlan plan;
    private final BagOfWords features;
    private final List<DataSet> newTrain;
    private final List<DataSet> newTest;
    private final List<DataSet> oldTest;
    private final MultiLayerNetwork base;

    /** Trains the network that is to be adapted. */
    public IntentComparison(IntentData data, IntentPlan plan, Progress.Factory progress) {
        this.data = data;
        this.plan = plan;
        this.features = new BagOfWords(FEATURES, data.classes().size());
        this.newTrain = batches(data.train(), false);
        this.newTest = batches(data.test(), false);
        this.oldTest = batches(data.test(), true);
        this.base = network();
        fit(base, batches(data.train(), true), plan.pretraining(), progress.start("known intents", plan.pretraining()));
    }

    private List<DataSet> batches(List<LabelledText> texts, boolean known) {
        return features.batches(IntentData.half(texts, data.known(), known), plan.batch(), plan.seed());
    }

    private MultiLayerNetwork network() {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(plan.seed())
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.TANH)
                .updater(new Adam(plan.fullLearningRate()))
                .list()
                .layer(new DenseLayer.Builder()
                        .name("words")
                        .nIn(FEATURES)
                        .nOut(WIDTH)
                        .build())
                .layer(new DenseLayer.Builder()
                        .name("meaning")
                        .nIn(WIDTH)
                        .nOut(WIDTH)
                        .build())
                .layer(new OutputLayer.Builder()
                        .name("intent")
                        .nIn(WIDTH)
                        .nOut(data.classes().size())
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        network.init();
        return network;
    }

    /** Returns what the network understands before it is adapted. */
    public IntentResult before() {
        return new IntentResult(
                "before", 0, accuracy(base, newTest), accuracy(base, oldTest), 0, Double.NaN, Double.NaN);
    }

    /** Adapts with a method. */
    public IntentResult adapters(AdapterMethod method, Progress.Factory progress) {
        Instant start = Instant.now();
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(base)
                .method(method)
                .fineTuneConfiguration(FineTuneConfiguration.builder()
                        .updater(new Adam(plan.learningRate()))
                        .seed(plan.seed())
                        .build())
                .seed(plan.seed())
                .build();
        return measure(method.name(), adapted, AdapterTransfer.trainableParameters(adapted), start, progress);
    }

    /** Trains all weights on. */
    public IntentResult full(Progress.Factory progress) {
        Instant start = Instant.now();
        MultiLayerNetwork copy = new TransferLearning.Builder(base)
                .fineTuneConfiguration(whole())
                .build();
        return measure("full fine-tuning", copy, copy.numParams(), start, progress);
    }

    /** Trains the last layer on, under DL4J's frozen layers. */
    public IntentResult frozen(Progress.Factory progress) {
        Instant start = Instant.now();
        MultiLayerNetwork copy = new TransferLearning.Builder(base)
                .fineTuneConfiguration(whole())
                .setFeatureExtractor(1)
                .build();
        return measure("frozen layers", copy, copy.getLayer(2).numParams(), start, progress);
    }

    private FineTuneConfiguration whole() {
        return FineTuneConfiguration.builder()
                .updater(new Adam(plan.fullLearningRate()))
                .seed(plan.seed())
                .build();
    }

    private IntentResult measure(
            String name, MultiLayerNetwork network, long trainable, Instant start, Progress.Factory progress) {
        Optional<Duration> epoch = fit(network, newTrain, plan.epochs(), progress.start(name, plan.epochs()));
        double seconds = seconds(Duration.between(start, Instant.now()));
        double old = accuracy(network, oldTest);
        return new IntentResult(
                name,
                trainable,
                accuracy(network, newTest),
                old,
                accuracy(base, oldTest) - old,
                epoch.map(IntentComparison::seconds).orElse(Double.NaN),
                seconds);
    }

    /** Returns the mean time of an epoch without the first, in which everything is set up. */
    private static Optional<Duration> fit(
            MultiLayerNetwork network, List<DataSet> batches, int epochs, Progress progress) {
        Instant second = Instant.MAX;
        try (progress) {
            for (int epoch = 1; epoch <= epochs; epoch++) {
                network.fit(new ListDataSetIterator<>(batches, 1));
                second = epoch == 1 ? Instant.now() : second;
                progress.at(epoch, String.format(java.util.Locale.ROOT, "score %.4f", network.score()));
            }
        }
        return epochs == 1
                ? Optional.empty()
                : Optional.of(Duration.between(second, Instant.now()).dividedBy(epochs - 1L));
    }

    private static double accuracy(MultiLayerNetwork network, List<DataSet> batches) {
        return network.evaluate(new ListDataSetIterator<>(batches, 1)).accuracy();
    }

    private static double seconds(Duration time) {
        return time.toNanos() / 1e9;
    }
}
