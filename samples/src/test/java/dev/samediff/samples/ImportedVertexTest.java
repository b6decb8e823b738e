package dev.samediff.samples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.vertex.AdaptedGraph;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.importer.OnnxWriter;
import dev.samediff.samples.model.BundledModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingGraphTrainer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** The bundled transformer, imported from ONNX, as a vertex in a DL4J pipeline: iterators, early stopping, evaluation. */
class ImportedVertexTest {
    private static final int STEPS = 12;

    @TempDir
    Path folder;

    private static ListDataSetIterator<DataSet> batches(int examples, long seed) {
        Random random = new Random(seed);
        INDArray ids = Nd4j.create(DataType.FLOAT, examples, STEPS);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, examples, 2);
        for (int i = 0; i < examples; i++) {
            int label = i % 2;
            labels.putScalar(i, label, 1);
            for (int t = 0; t < STEPS; t++) {
                ids.putScalar(i, t, label * 12 + random.nextInt(15));
            }
        }
        return new ListDataSetIterator<>(new DataSet(ids, labels).asList(), 8);
    }

    private static INDArray logits(SameDiff graph, INDArray ids) {
        return graph.output(Map.of("input_ids", ids.castTo(DataType.LONG)), "logits")
                .get("logits");
    }

    @Test
    void it_is_trained_by_early_stopping_evaluated_and_goes_back_to_onnx() throws IOException {
        ImportedModel imported = OnnxImporter.load(BundledModel.extract().onnx());
        INDArray ids = batches(8, 5).next().getFeatures();
        long vocabulary = logits(imported.graph(), ids).size(2);
        AdaptedModel model =
                AdaptedModel.inject(imported.graph(), imported.modulePaths(), AdapterConfig.of(Sorsa.rank(4)));
        ComputationGraph network = new ComputationGraph(new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(2e-3))
                .graphBuilder()
                .addInputs("ids")
                .addVertex("gpt", AdaptedGraph.of(model, new Adam(2e-3), "logits", "input_ids"), "ids")
                .addLayer("pooling", new GlobalPoolingLayer(), "gpt")
                .addLayer(
                        "kind",
                        new OutputLayer.Builder()
                                .nIn(vocabulary)
                                .nOut(2)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        "pooling")
                .setOutputs("kind")
                .build());
        network.init();
        var configuration = new EarlyStoppingConfiguration.Builder<ComputationGraph>()
                .epochTerminationConditions(new MaxEpochsTerminationCondition(4))
                .scoreCalculator(new DataSetLossCalculator(batches(16, 9), true))
                .modelSaver(new InMemoryModelSaver<>())
                .build();
        ComputationGraph best = new EarlyStoppingGraphTrainer(configuration, network, batches(48, 2), null)
                .fit()
                .getBestModel();
        assertThat(best.evaluate(batches(40, 7)).accuracy()).isGreaterThan(0.8);
        INDArray before = logits(model.graph(), ids);
        model.restore(AdaptedGraph.trainables(best, "gpt"));
        INDArray expected = best.feedForward(ids, false).get("gpt").permute(0, 2, 1);
        assertThat(expected.sub(logits(model.graph(), ids)).amaxNumber().doubleValue())
                .isLessThan(1e-3);
        assertThat(expected.sub(before).amaxNumber().doubleValue()).isGreaterThan(1e-2);
        Path merged = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(imported, model.mergedWeights(), merged);
        assertThat(expected.sub(logits(OnnxImporter.load(merged).graph(), ids))
                        .amaxNumber()
                        .doubleValue())
                .isLessThan(1e-3);
    }
}
