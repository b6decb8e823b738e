package dev.samediff.adapters.train;

import static dev.samediff.adapters.testing.JsonArrays.array;
import static dev.samediff.adapters.testing.JsonArrays.ints;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.JsonArrays;
import dev.samediff.adapters.text.batch.AttentionMask;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.CausalLmIterator;
import dev.samediff.adapters.text.batch.Packing;
import dev.samediff.adapters.text.batch.SequenceFeature;
import dev.samediff.adapters.text.batch.TokenSequence;
import dev.samediff.adapters.text.generation.RandomSequences;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.Schedule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Label masks and rows of several documents train as torch does, which computes isolated ones alone: src/test/python/packed_training.py. */
class PackedTrainingTest {
    private static final JsonNode DATA = JsonArrays.tree("/train/packed.json");
    private static final int LONGEST = DATA.get("longest").asInt();
    private static final int VOCABULARY = 17;
    private static final double TOLERANCE = 1e-4;
    private static final List<AttentionMask> MASKS =
            List.of(new AttentionMask(4, true), new AttentionMask(3, false), new AttentionMask(4, false));

    static Stream<Arguments> cases() {
        return Stream.of(EngineOptions.defaults(), EngineOptions.reference())
                .flatMap(engine -> MASKS.stream()
                        .flatMap(mask -> Stream.of(Packing.values())
                                .map(packing -> Arguments.of(packing, mask, engine.kind(), engine))));
    }

    /** A decoder with a LoRA on each projection of its attention. */
    private static final class Decoder {
        final SameDiff graph = SameDiff.create();
        final AttentionMask form;
        final AdaptedModel adapted;
        final TaskLoss loss;
        private final SDVariable sizes;

        Decoder(AttentionMask form) {
            this.form = form;
            SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
            SDVariable positions = graph.placeHolder("position_ids", DataType.INT64, -1, -1);
            DataType type = form.added() ? DataType.FLOAT : DataType.INT64;
            SDVariable mask = graph.placeHolder(
                    "attention_mask", type, form.rank() == 3 ? new long[] {-1, -1, -1} : new long[] {-1, 1, -1, -1});
            SDVariable x = graph.gather(weight("wte"), ids.reshape(-1), 0)
                    .add(graph.gather(weight("wpe"), positions.reshape(-1), 0));
            sizes = graph.shape(ids);
            SDVariable scores = graph.mmul(heads(linear("q", x)), heads(linear("k", x)), false, true, false)
                    .mul(1 / Math.sqrt(8.0 / DATA.get("heads").asInt()))
                    .add(added(mask));
            SDVariable mixed = graph.mmul(graph.nn.softmax(scores, 3), heads(linear("v", x)))
                    .permute(0, 2, 1, 3);
            SDVariable joined = graph.reshape(mixed, graph.shape(x));
            SDVariable hidden = graph.math.tanh(x.add(linear("o", joined)));
            SDVariable scored = graph.mmul(hidden, weight("head"), false, true, false);
            graph.reshape(scored, graph.concat(0, sizes, numbers(VOCABULARY))).rename("logits");
            adapted = AdaptedModel.inject(
                    graph,
                    AdapterConfig.of(Lora.rank(2).withAlpha(DATA.get("alpha").asDouble()))
                            .withTargets(TargetSelector.suffixes("q", "k", "v", "o")));
            adapted.restore(tensors(DATA.get("start")));
            loss = Losses.causalLm(graph, "logits");
        }

        private SDVariable weight(String name) {
            return graph.constant(name, array(DATA.get("frozen").get(name)));
        }

        private SDVariable numbers(long... values) {
            return graph.constant(Nd4j.createFromArray(values));
        }

        private SDVariable linear(String name, SDVariable x) {
            SDVariable weight =
                    graph.constant(name + ".weight", array(DATA.get("frozen").get(name)));
            return graph.mmul(x, weight, false, true, false);
        }

        private SDVariable heads(SDVariable x) {
            SDVariable shape = graph.concat(0, sizes, numbers(2, 4));
            return graph.reshape(x, shape).permute(0, 2, 1, 3);
        }

        private SDVariable added(SDVariable mask) {
            SDVariable all = form.rank() == 3 ? graph.expandDims(mask, 1) : mask;
            return form.added() ? all : all.castTo(DataType.FLOAT).rsub(1).mul(-1e9);
        }

        CausalLmIterator batches(List<TokenSequence> documents, Packing packing, int batch) {
            BatchPlan plan = BatchPlan.of(batch, LONGEST)
                    .packed(packing)
                    .filling(List.of("input_ids", "attention_mask", "position_ids"))
                    .masking(form)
                    .typed(SequenceFeature.ATTENTION_MASK, form.added() ? DataType.FLOAT : DataType.INT64);
            return new CausalLmIterator(documents, 0, plan);
        }
    }

    private static Map<String, INDArray> tensors(JsonNode json) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        json.fields()
                .forEachRemaining(entry -> tensors.put(
                        entry.getKey().replace(".", ".lora_") + ".default.weight",
                        array(entry.getValue()).transpose().dup('c')));
        return tensors;
    }

    private static List<TokenSequence> documents() {
        List<TokenSequence> documents = new ArrayList<>();
        for (JsonNode one : DATA.get("documents")) {
            boolean[] learned = new boolean[one.get("learned").size()];
            for (int i = 0; i < learned.length; i++) {
                learned[i] = one.get("learned").get(i).asBoolean();
            }
            documents.add(new TokenSequence(ints(one.get("ids")), learned));
        }
        return documents;
    }

    private static JsonNode expected(Packing packing) {
        for (JsonNode one : DATA.get("cases")) {
            if (one.get("name").asText().equals(packing.name())) {
                return one;
            }
        }
        throw new AssertionError("packed_training.py knows no " + packing);
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("cases")
    void the_steps_are_those_of_torch(
            Packing packing, AttentionMask mask, EngineOptions.Kind kind, EngineOptions engine) {
        JsonNode expected = expected(packing);
        Decoder decoder = new Decoder(mask);
        TrainingPlan plan = TrainingPlan.builder()
                .steps(expected.get("losses").size())
                .learningRate(DATA.get("rate").asDouble())
                .weightDecay(DATA.get("decay").asDouble())
                .schedule(Schedule.CONSTANT)
                .clipNorm(0)
                .engine(engine)
                .build();
        CausalLmIterator batches =
                decoder.batches(documents(), packing, DATA.get("batch").asInt());
        assertThat(batches.sequences()).isEqualTo(expected.get("rows").asInt());
        Binding inputs = Binding.of(decoder.loss, "input_ids", "attention_mask", "position_ids");
        try (AdapterTrainer trainer = new AdapterTrainer(decoder.adapted, decoder.loss, plan, inputs)) {
            List<Double> losses = trainer.fit(batches, null).losses();
            for (int i = 0; i < losses.size(); i++) {
                double loss = expected.get("losses").get(i).asDouble();
                assertThat(losses.get(i)).as("loss of step %d", i).isCloseTo(loss, within(TOLERANCE * loss));
            }
        }
        tensors(expected.get("end"))
                .forEach((name, value) -> assertThat(
                                value.sub(decoder.adapted.trainables().get(name))
                                        .normmaxNumber()
                                        .doubleValue())
                        .as(name)
                        .isLessThan(TOLERANCE));
    }

    @ParameterizedTest
    @MethodSource("masks")
    void the_loss_of_an_isolated_batch_is_that_of_its_documents_alone(AttentionMask mask) {
        Decoder decoder = new Decoder(mask);
        try (Engine engine = Engines.open(decoder.graph, decoder.loss.loss(), List.of(), EngineOptions.defaults())) {
            for (int seed = 0; seed < 5; seed++) {
                List<TokenSequence> documents = RandomSequences.of(40, LONGEST, seed).stream()
                        .map(one -> new TokenSequence(
                                Arrays.stream(one.ids())
                                        .map(id -> id % VOCABULARY)
                                        .toArray(),
                                one.labelled()))
                        .toList();
                CausalLmIterator packed = decoder.batches(documents, Packing.ISOLATED, 100);
                assertThat(packed.sequences()).isLessThan(documents.size());
                double[] together = sums(decoder, engine, packed);
                double[] alone = sums(decoder, engine, decoder.batches(documents, Packing.NONE, 1));
                assertThat(together[1]).isEqualTo(alone[1]);
                assertThat(together[0]).isCloseTo(alone[0], within(1e-5 * alone[0]));
                double[] seen = sums(decoder, engine, decoder.batches(documents, Packing.BEST_FIT, 100));
                assertThat(Math.abs(seen[0] - alone[0])).isGreaterThan(1e-3 * alone[0]);
            }
        }
    }

    static List<AttentionMask> masks() {
        return MASKS;
    }

    /** Summed loss and number of labels. */
    private static double[] sums(Decoder decoder, Engine engine, CausalLmIterator batches) {
        double[] sums = new double[2];
        while (batches.hasNext()) {
            MultiDataSet batch = batches.next();
            Map<String, INDArray> values = new HashMap<>();
            for (int i = 0; i < batches.featureNames().size(); i++) {
                values.put(batches.featureNames().get(i), batch.getFeatures(i));
            }
            values.put(decoder.loss.labels(), batch.getLabels(0));
            values.put(decoder.loss.mask(), batch.getLabelsMaskArray(0));
            double labels = batch.getLabelsMaskArray(0).sumNumber().doubleValue();
            INDArray mean = engine.outputs(values, List.of(decoder.loss.loss())).get(decoder.loss.loss());
            sums[0] += labels * mean.getDouble(0);
            sums[1] += labels;
        }
        return sums;
    }
}
