package dev.samediff.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.dl4j.testing.Adapted;
import dev.samediff.dl4j.testing.Blobs;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingMaster;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.dataset.DataSet;

/** Parameter averaging over two workers; run with {@code -Pspark}. */
class SparkTest {
    private static JavaSparkContext context;

    @BeforeAll
    static void start() {
        context = new JavaSparkContext(new SparkConf()
                .setMaster("local[2]")
                .setAppName("adapters")
                .set("spark.driver.host", "localhost")
                .set("spark.ui.enabled", "false"));
    }

    @AfterAll
    static void stop() {
        context.close();
    }

    static Stream<String> methods() {
        return Dl4jMethods.ofLayers().stream();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void parameter_averaging_trains_the_adapters_and_nothing_else(String method) {
        MultiLayerNetwork trained = Blobs.trained();
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(trained)
                .method(Dl4jMethods.named(method, 2))
                .build();
        DataSet test = Blobs.data(120, 2, 9);
        double before = adapted.score(test);
        ParameterAveragingTrainingMaster master = new ParameterAveragingTrainingMaster.Builder(2, 16)
                .batchSizePerWorker(16)
                .averagingFrequency(2)
                .workerPrefetchNumBatches(0)
                .build();
        SparkDl4jMultiLayer spark = new SparkDl4jMultiLayer(context, adapted, master);
        var data = context.parallelize(Blobs.data(192, 2, 3).batchBy(16), 2);
        for (int epoch = 0; epoch < 3; epoch++) {
            spark.fit(data);
        }
        MultiLayerNetwork result = spark.getNetwork();
        assertThat(result.score(test)).isLessThan(before);
        assertThat(Adapted.trainable(result))
                .isEqualTo(Adapted.trainable(adapted))
                .isNotEmpty();
        // Averaging two equal numbers is exact.
        assertThat(AdapterTransfer.unload(result).params()).isEqualTo(trained.params());
    }
}
