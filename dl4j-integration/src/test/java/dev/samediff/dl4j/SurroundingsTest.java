package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.testing.Blobs;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.EarlyStoppingResult;
import org.deeplearning4j.earlystopping.saver.LocalFileModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.CheckpointListener;
import org.deeplearning4j.optimize.listeners.EvaluativeListener;
import org.deeplearning4j.parallelism.ParallelInference;
import org.deeplearning4j.parallelism.inference.InferenceMode;
import org.deeplearning4j.ui.VertxUIServer;
import org.deeplearning4j.ui.model.stats.StatsListener;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What DL4J users have around a network, with the real thing. */
class SurroundingsTest {
    private static final MultiLayerNetwork TRAINED = Blobs.trained();

    @TempDir
    Path folder;

    private static MultiLayerNetwork adapted() {
        return new AdapterTransfer.Builder(TRAINED).method(Sorsa.rank(2)).build();
    }

    @Test
    void early_stopping_keeps_the_best_adapted_network() throws IOException {
        var configuration = new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
                .epochTerminationConditions(new MaxEpochsTerminationCondition(4))
                .scoreCalculator(new DataSetLossCalculator(Blobs.batches(60, 1.5, 8), true))
                .modelSaver(new LocalFileModelSaver(folder.toString()))
                .build();
        EarlyStoppingResult<MultiLayerNetwork> result =
                new EarlyStoppingTrainer(configuration, adapted(), Blobs.batches(48, 1.5, 3)).fit();
        MultiLayerNetwork best = result.getBestModel();
        // DL4J M2.1's result says 0 for the best score of any network; the scores by epoch are right.
        double score = result.getScoreVsEpoch().get(result.getBestModelEpoch());
        assertThat(score).isLessThan(adapted().score(Blobs.data(60, 1.5, 8)));
        assertThat(best.score(Blobs.data(60, 1.5, 8))).isCloseTo(score, within(1e-5));
        assertThatBits(AdapterTransfer.unload(best).params()).isEqualTo(TRAINED.params());
    }

    @Test
    void evaluative_listeners_evaluate_while_it_trains() {
        EvaluativeListener listener = new EvaluativeListener(
                Blobs.batches(60, 1.5, 8), 1, org.deeplearning4j.optimize.api.InvocationType.EPOCH_END);
        MultiLayerNetwork adapted = adapted();
        adapted.setListeners(listener);
        adapted.fit(Blobs.batches(96, 1.5, 3), 15);
        Evaluation evaluation = (Evaluation) listener.getEvaluations()[0];
        assertThat(evaluation.accuracy())
                .isEqualTo(adapted.evaluate(Blobs.batches(60, 1.5, 8)).accuracy())
                .isGreaterThan(0.8);
    }

    @Test
    void checkpoints_can_be_loaded_and_trained_on() {
        MultiLayerNetwork adapted = adapted();
        adapted.setListeners(new CheckpointListener.Builder(folder.toFile())
                .saveEveryNEpochs(1)
                .keepAll()
                .build());
        adapted.fit(Blobs.batches(32, 1.5, 3), 2);
        MultiLayerNetwork last = CheckpointListener.loadLastCheckpointMLN(folder.toFile());
        assertThatBits(last.params()).isEqualTo(adapted.params());
        adapted.setListeners(List.of());
        adapted.fit(Blobs.batches(32, 1.5, 4));
        last.fit(Blobs.batches(32, 1.5, 4));
        assertThatBits(last.params()).isEqualTo(adapted.params());
    }

    @Test
    void parallel_inference_answers_as_the_network_does() {
        MultiLayerNetwork adapted = adapted();
        adapted.fit(Blobs.batches(48, 1.5, 3));
        ParallelInference inference = new ParallelInference.Builder(adapted)
                .inferenceMode(InferenceMode.BATCHED)
                .batchLimit(4)
                .workers(2)
                .build();
        try {
            for (int i = 0; i < 4; i++) {
                INDArray features = Blobs.data(3, 1.5, i).getFeatures();
                assertThatBits(inference.output(features)).isEqualTo(adapted.output(features));
            }
        } finally {
            inference.shutdown();
        }
    }

    @Test
    void the_ui_server_shows_the_tensors_of_the_adapters() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        VertxUIServer server = VertxUIServer.getInstance(port, false, null);
        try {
            StatsStorage storage = new InMemoryStatsStorage();
            server.attach(storage);
            MultiLayerNetwork adapted = adapted();
            adapted.setListeners(new StatsListener(storage, 1));
            adapted.fit(Blobs.batches(64, 1.5, 3));
            String session = storage.listSessionIDs().get(0);
            assertThat(get(port, "/train/overview")).contains("html");
            // the server takes over sessions in a thread of its own
            for (int i = 0; i < 100 && !get(port, "/train/sessions/current").equals(session); i++) {
                Thread.sleep(100);
            }
            assertThat(get(port, "/train/sessions/current")).isEqualTo(session);
            assertThat(get(port, "/train/overview/data")).contains("scores");
            assertThat(get(port, "/train/model/graph")).contains("first");
            assertThat(get(port, "/train/model/data/1")).contains("W.sorsaA");
        } finally {
            server.stop();
        }
    }

    private static String get(int port, String path) throws IOException, InterruptedException {
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(path).isEqualTo(200);
        return response.body();
    }
}
