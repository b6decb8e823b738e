package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.DecodingSession;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.text.generation.CachedLogits;
import dev.samediff.adapters.text.generation.Capacities;
import dev.samediff.adapters.text.generation.GraphLogits;
import dev.samediff.importer.fixture.Fixture;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Imported decoders are decoded position by position, with caches their files know nothing of. */
class CachedDecodingTest {
    private static final int LONGEST = 12;

    static Stream<Arguments> decoders() {
        Stream<Arguments> fixtures = Fixture.all().stream()
                .filter(fixture ->
                        fixture.name().startsWith("gpt2") || fixture.name().startsWith("llama"))
                .map(fixture -> Arguments.of(fixture.name(), fixture.onnx()));
        Stream<Arguments> neox = Stream.of("neox-op11", "neox-op17")
                .map(name -> Arguments.of(name, CompiledEngineModelsTest.architecture(name)));
        return Stream.concat(fixtures, neox);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("decoders")
    void tokens_one_by_one_get_the_logits_of_the_whole_model(String name, Path file) {
        ImportedModel model = OnnxImporter.load(file);
        AdaptedModel adapted = AdaptedModel.inject(model.graph(), model.modulePaths(), AdapterConfig.of(Lora.rank(2)));
        Random random = new Random(3);
        adapted.trainableNames().forEach(trainable -> perturb(model.graph().getArrForVarName(trainable), random));
        List<String> inputs = model.graph().inputs();
        String logits = model.outputs().get(0).variable();
        int fixed = (int) model.graph().getVariable("input_ids").placeholderShape()[1];
        int longest = fixed > 0 ? fixed : LONGEST;
        GraphLogits whole = new GraphLogits(model.graph(), inputs, logits);
        int[] lengths = {3, 1};
        INDArray ids = ids(lengths.length, longest);
        INDArray expected = whole.logits(ids, new int[] {longest, longest});
        DecodingSession session = new DecodingSession(model.graph(), "input_ids", logits, EngineOptions.defaults());
        Capacities capacities = new Capacities(fixed > 0 ? fixed : 4, longest);
        try (CachedLogits cached = new CachedLogits(session, whole, whole::inputs, capacities)) {
            while (lengths[0] <= longest) {
                INDArray found = cached.logits(ids, lengths);
                assertThat(cached.fallback()).isEmpty();
                for (int row = 0; row < lengths.length; row++) {
                    INDArray right = expected.get(
                            NDArrayIndex.point(row), NDArrayIndex.point(lengths[row] - 1), NDArrayIndex.all());
                    double largest = right.amaxNumber().doubleValue();
                    double difference =
                            found.getRow(row).sub(right).amaxNumber().doubleValue();
                    assertThat(difference).isCloseTo(0, within(1e-4 * largest));
                    lengths[row]++;
                }
            }
        }
    }

    private static INDArray ids(int texts, int length) {
        Random random = new Random(5);
        INDArray ids = Nd4j.create(DataType.LONG, texts, length);
        for (long i = 0; i < ids.length(); i++) {
            ids.putScalar(i, random.nextInt(20));
        }
        return ids;
    }

    private static void perturb(INDArray array, Random random) {
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, array.getDouble(i) + 0.05 * random.nextGaussian());
        }
    }
}
