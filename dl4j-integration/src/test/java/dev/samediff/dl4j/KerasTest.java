package dev.samediff.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.dl4j.testing.Adapted;
import dev.samediff.dl4j.testing.Blobs;
import dev.samediff.dl4j.testing.KerasFile;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.deeplearning4j.nn.modelimport.keras.KerasModelImport;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class KerasTest {
    @TempDir
    Path folder;

    static Stream<String> methods() {
        return Dl4jMethods.ofLayers().stream();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void a_network_imported_from_keras_is_adapted_trained_and_merged(String method) throws Exception {
        Path file = folder.resolve("model.h5");
        KerasFile.write(file);
        MultiLayerNetwork imported = KerasModelImport.importKerasSequentialModelAndWeights(file.toString());
        INDArray features = Blobs.data(6, 0, 1).getFeatures();
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(imported)
                .method(Dl4jMethods.named(method, 2))
                .layers("hidden")
                .build();
        assertThat(Adapted.difference(imported.output(features), adapted.output(features)))
                .isLessThan(1e-5);
        double before = adapted.score(Blobs.data(48, 0, 1));
        adapted.fit(Blobs.batches(48, 0, 1), 3);
        assertThat(adapted.score(Blobs.data(48, 0, 1))).isLessThan(before);
        MultiLayerNetwork merged = AdapterTransfer.merge(adapted);
        assertThat(Adapted.difference(merged.output(features), adapted.output(features)))
                .isLessThan(1e-5);
        assertThat(merged.getLayerWiseConfigurations().toJson()).doesNotContain("samediff.dl4j");
    }
}
