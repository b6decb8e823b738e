package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.importer.fixture.Fixture;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** Training with compiled plans goes the way of training with SameDiff's own operations, for every kind of model and method. */
class TrainingEquivalenceTest {
    private static final int STEPS = 50;
    private static final int GRADIENTS_EVERY = 10;
    private static final InputSizes SIZES = new InputSizes(2, 7, 0);

    private static final List<String> MODELS = List.of(
            "gpt2-conv1d-op13", "gpt2-gemm-tied-op11", "llama-op17", "bert-mlm-op17", "bert-cls-op13", "encoder-op14");

    static Stream<Arguments> trainings() {
        return MODELS.stream()
                .flatMap(model -> Stream.of(Lora.rank(2), OLora.rank(2), Pissa.rank(2), Sorsa.rank(2))
                        .map(method -> Arguments.of(model, method.name(), method)));
    }

    /** A model with adapters, a loss and a batch, drawn anew and always the same. */
    private static final class Job {
        final ImportedModel model;
        final AdaptedModel adapted;
        final TaskLoss loss;
        final Map<String, INDArray> inputs = new LinkedHashMap<>();
        final INDArray labels;

        Job(String name, AdapterMethod method) {
            Fixture fixture = Fixture.named(name);
            model = OnnxImporter.load(fixture.onnx());
            adapted = AdaptedModel.inject(model.graph(), model.modulePaths(), AdapterConfig.of(method));
            inputs.putAll(new RandomInputs(model.model().getGraph()).draw(SIZES, new Random(5)));
            String logits = model.outputs().get(0).variable();
            long[] shape;
            try (Engine engine = new ReferenceEngine(model.graph(), "", List.of())) {
                shape = Objects.requireNonNull(
                                engine.outputs(inputs, List.of(logits)).get(logits))
                        .shape();
            }
            boolean tokens = shape.length == 3;
            loss = tokens ? Losses.causalLm(model.graph(), logits) : Losses.classification(model.graph(), logits);
            labels = tokens ? Nd4j.create(DataType.INT, shape[0], shape[1]) : Nd4j.create(DataType.INT, shape[0]);
            Random random = new Random(9);
            for (long i = 0; i < labels.length(); i++) {
                labels.putScalar(i, random.nextInt((int) shape[shape.length - 1]));
            }
        }

        CompiledEngine compiled() {
            return new CompiledEngine(model.graph(), loss.loss(), adapted.trainableNames(), EngineOptions.defaults());
        }

        Engine reference() {
            return new ReferenceEngine(model.graph(), loss.loss(), adapted.trainableNames());
        }

        Map<String, INDArray> placeholders() {
            Map<String, INDArray> all = new LinkedHashMap<>(inputs);
            all.put(loss.labels(), labels);
            all.put(loss.mask(), Nd4j.ones(DataType.FLOAT, labels.shape()));
            return all;
        }

        List<Double> train(EngineOptions options, TrainingListener... listeners) {
            TrainingPlan plan = TrainingPlan.builder()
                    .steps(STEPS)
                    .learningRate(1e-3)
                    .engine(options)
                    .build();
            Binding binding = Binding.of(loss, inputs.keySet().toArray(String[]::new));
            MultiDataSet batch = new MultiDataSet(inputs.values().toArray(INDArray[]::new), new INDArray[] {labels});
            try (AdapterTrainer trainer = new AdapterTrainer(adapted, loss, plan, binding)) {
                return trainer.fit(new SingletonMultiDataSetIterator(batch), null, listeners)
                        .losses();
            }
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("trainings")
    void losses_and_gradients_of_fifty_steps_agree(String name, String methodName, AdapterMethod method) {
        List<Double> expected = new Job(name, method).train(EngineOptions.reference());
        Job job = new Job(name, method);
        try (CompiledEngine compiled = job.compiled();
                Engine reference = job.reference()) {
            List<Double> actual = job.train(EngineOptions.defaults(), new TrainingListener() {
                @Override
                public void onStep(StepReport report) {
                    if (report.step() % GRADIENTS_EVERY == 1) {
                        assertClose(compiled.gradients(job.placeholders()), reference.gradients(job.placeholders()));
                        assertThat(compiled.fallback()).isEmpty();
                    }
                }
            });
            assertThat(expected.get(STEPS - 1)).isLessThan(expected.get(0));
            for (int step = 0; step < STEPS; step++) {
                assertThat(actual.get(step))
                        .as("loss of step %s", step + 1)
                        .isCloseTo(expected.get(step), within(1e-5 * expected.get(step)));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "BFLOAT16"})
    void a_training_done_twice_gives_the_same_bits(Precision precision) {
        EngineOptions options = EngineOptions.defaults().withPrecision(precision);
        Job first = new Job("llama-op17", Sorsa.rank(2));
        Job second = new Job("llama-op17", Sorsa.rank(2));
        assertThat(first.train(options)).isEqualTo(second.train(options));
        for (String trainable : first.adapted.trainableNames()) {
            assertThatBits(first.model.graph().getArrForVarName(trainable))
                    .as(trainable)
                    .isEqualTo(second.model.graph().getArrForVarName(trainable));
        }
    }

    private static void assertClose(Engine.Gradients actual, Engine.Gradients expected) {
        double largest = expected.byName().values().stream()
                .mapToDouble(gradient -> gradient.amaxNumber().doubleValue())
                .max()
                .orElseThrow();
        expected.byName().forEach((name, gradient) -> {
            INDArray difference = Nd4j.createUninitialized(gradient.dataType(), gradient.shape());
            Objects.requireNonNull(actual.byName().get(name)).sub(gradient, difference);
            double scale = Math.max(0.01 * largest, gradient.amaxNumber().doubleValue());
            assertThat(difference.amaxNumber().doubleValue() / scale).as(name).isLessThan(1e-4);
        });
    }
}
