package dev.samediff.adapters.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.testing.Bits;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.CausalLmIterator;
import dev.samediff.adapters.text.batch.TokenSequence;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** A training that was interrupted goes on with the data it was made with, or not at all. */
class ResumedDataTest {
    private static final int VOCABULARY = 11;

    @TempDir
    Path folder;

    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Logits of the next token by the present one alone. */
    private static SameDiff bigrams() {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
        SDVariable vocabulary = graph.constant(Nd4j.scalar(DataType.INT64, VOCABULARY));
        SDVariable rows = graph.oneHot(null, ids.reshape(-1), VOCABULARY, 1, 1.0, 0.0, DataType.FLOAT)
                .mmul(graph.var("w", Nd4j.zeros(DataType.FLOAT, VOCABULARY, VOCABULARY)));
        graph.reshape(rows, graph.stack(0, graph.sizeAt(ids, 0), graph.sizeAt(ids, 1), vocabulary))
                .rename("logits");
        return graph;
    }

    private static List<TokenSequence> texts(int count) {
        Random random = new Random(3);
        List<TokenSequence> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(TokenSequence.allLabelled(
                    random.ints(2 + random.nextInt(6), 0, VOCABULARY).toArray()));
        }
        return texts;
    }

    private static BatchPlan plan() {
        return BatchPlan.of(4, 8).shuffled(1).bucketed(3);
    }

    private static CausalLmIterator data() {
        return new CausalLmIterator(texts(30), 0, plan());
    }

    private TrainingPlan.Builder training() {
        return TrainingPlan.builder().steps(20).learningRate(0.01).checkpoints(folder, 5);
    }

    private INDArray train(
            TrainingPlan.Builder plan,
            boolean resume,
            MultiDataSetIterator data,
            MultiDataSetIterator evaluation,
            int end) {
        SameDiff graph = bigrams();
        TaskLoss loss = Losses.causalLm(graph, "logits");
        try (AdapterTrainer trainer = new AdapterTrainer(
                Trainable.of(graph, List.of("w")), loss, plan.build(), Binding.of(loss, "input_ids"))) {
            if (resume) {
                trainer.resume(folder);
            }
            trainer.fit(data, evaluation, new TrainingListener() {
                @Override
                public void onStep(StepReport report) {
                    if (report.step() == end) {
                        throw new Killed();
                    }
                }
            });
        }
        return graph.getVariable("w").getArr();
    }

    private void trainAndKill(TrainingPlan.Builder plan, MultiDataSetIterator data) {
        assertThatThrownBy(() -> train(plan, false, data, data(), 13)).isInstanceOf(Killed.class);
    }

    private void clear() throws IOException {
        try (Stream<Path> checkpoints = Files.list(folder)) {
            for (Path checkpoint : checkpoints.toList()) {
                DurableFiles.deleteTree(checkpoint);
            }
        }
    }

    @Test
    void the_same_data_goes_on_to_the_same_bits() throws IOException {
        INDArray straight = train(training(), false, data(), data(), 0);
        clear();
        trainAndKill(training(), data());
        Bits.assertThatBits(train(training(), true, data(), data(), 0)).isEqualTo(straight);
    }

    /** It went on with a line less, another template and another batch size, without a word. */
    @Test
    void other_data_is_refused_by_the_names_of_what_differs() {
        trainAndKill(training(), data());
        List<TokenSequence> template = new ArrayList<>();
        texts(30)
                .forEach(text -> template.add(
                        TokenSequence.allLabelled(IntStream.concat(IntStream.of(5), Arrays.stream(text.ids()))
                                .toArray())));
        Map<CausalLmIterator, String> others = new LinkedHashMap<>();
        others.put(
                new CausalLmIterator(texts(29), 0, plan()), "data's training number of sequences was 30 and is now 29");
        others.put(new CausalLmIterator(template, 0, plan()), "data's training content (SHA-256");
        others.put(
                new CausalLmIterator(
                        texts(30), 0, BatchPlan.of(3, 8).shuffled(1).bucketed(3)),
                "data's training batch size was 4 and is now 3");
        others.put(
                new CausalLmIterator(
                        texts(30), 0, BatchPlan.of(6, 8).shuffled(1).bucketed(3)),
                "data's training batch size was 4 and is now 6");
        others.put(
                new CausalLmIterator(
                        texts(30), 0, BatchPlan.of(4, 9).shuffled(1).bucketed(3)),
                "data's training maximum length was 8 and is now 9");
        others.put(new CausalLmIterator(texts(30), 0, plan().shuffled(2)), "shuffling seed was 1 and is now 2");
        others.forEach((data, part) -> assertThatThrownBy(() -> train(training(), true, data, data(), 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("belongs to another training", part, "Give the same data"));
    }

    @Test
    void evaluation_data_counts_where_something_depends_on_it() throws IOException {
        CausalLmIterator fewer = new CausalLmIterator(texts(7), 0, plan());
        trainAndKill(training().evaluateEvery(4), data());
        assertThatCode(() -> train(training().evaluateEvery(4), true, data(), fewer, 0))
                .doesNotThrowAnyException();
        clear();
        TrainingPlan.Builder best = training().evaluateEvery(4).restoreBest(true);
        trainAndKill(best, data());
        assertThatThrownBy(() -> train(best, true, data(), fewer, 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("data's evaluation number of sequences was 30 and is now 7");
    }

    private static Batches taken(CausalLmIterator iterator) {
        Batches batches = new Batches();
        iterator.forEachRemaining(batches.list::add);
        return batches;
    }

    @Test
    void other_batches_are_refused_also_if_their_iterator_describes_nothing() {
        trainAndKill(training(), taken(data()));
        Map<String, Batches> others = new LinkedHashMap<>();
        others.put("one batch less", taken(data()));
        others.get("one batch less").list.remove(2);
        others.put("another order", taken(data()));
        others.get("another order").list.add(others.get("another order").list.remove(0));
        others.put("another batch size", taken(new CausalLmIterator(texts(30), 0, BatchPlan.of(3, 8))));
        others.put("one token", taken(data()));
        others.get("one token").list.get(1).getFeatures(0).putScalar(0, 0, 10);
        others.put("one label", taken(data()));
        others.get("one label").list.get(1).getLabels(0).putScalar(0, 0, 10);
        others.put("one weight", taken(data()));
        others.get("one weight").list.get(1).getLabelsMaskArray(0).putScalar(0, 0, 0.5);
        others.forEach((name, data) -> assertThatThrownBy(() -> train(training(), true, data, data(), 0))
                .as(name)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("the training data is not that of the checkpoint", "start anew"));
        assertThatCode(() -> train(training(), true, taken(data()), data(), 0)).doesNotThrowAnyException();
    }

    @Test
    void a_checkpoint_that_says_nothing_of_its_data_is_resumed() throws IOException {
        trainAndKill(training(), data());
        Path file = folder.resolve("checkpoint-10/progress.json");
        ObjectMapper json = new ObjectMapper();
        ObjectNode progress = (ObjectNode) json.readTree(Files.readAllBytes(file));
        progress.put("version", 1).remove(List.of("data", "batches", "run_start", "sha256"));
        Files.write(file, json.writeValueAsBytes(progress));
        assertThatCode(() -> train(training(), true, new CausalLmIterator(texts(29), 0, plan()), data(), 0))
                .doesNotThrowAnyException();
    }

    @Test
    void a_run_that_ended_stays_as_it_was() {
        TrainingPlan.Builder plan =
                training().learningRate(5).evaluateEvery(1).earlyStopping(2, 0).restoreBest(true);
        INDArray ended = train(plan, false, data(), data(), 0);
        Bits.assertThatBits(train(plan, true, data(), data(), 0)).isEqualTo(ended);
        INDArray complete = train(training(), false, data(), data(), 0);
        Bits.assertThatBits(train(training(), true, data(), data(), 0)).isEqualTo(complete);
    }

    /** A second run of a trainer is resumed as a second run. */
    @Test
    void a_second_run_is_resumed_where_it_was() {
        SameDiff graph = bigrams();
        TaskLoss loss = Losses.causalLm(graph, "logits");
        try (AdapterTrainer trainer = new AdapterTrainer(
                Trainable.of(graph, List.of("w")), loss, training().build(), Binding.of(loss, "input_ids"))) {
            CausalLmIterator data = data();
            trainer.fit(data, null);
            assertThatThrownBy(() -> trainer.fit(data, null, new TrainingListener() {
                        @Override
                        public void onStep(StepReport report) {
                            if (report.step() == 33) {
                                throw new Killed();
                            }
                        }
                    }))
                    .isInstanceOf(Killed.class);
        }
        SameDiff other = bigrams();
        TaskLoss task = Losses.causalLm(other, "logits");
        try (AdapterTrainer trainer = new AdapterTrainer(
                Trainable.of(other, List.of("w")), task, training().build(), Binding.of(task, "input_ids"))) {
            TrainingResult result = trainer.resume(folder).fit(data(), null);
            assertThat(result.steps()).isEqualTo(40);
            assertThat(result.losses()).hasSize(20);
        }
        SameDiff straight = bigrams();
        TaskLoss same = Losses.causalLm(straight, "logits");
        try (AdapterTrainer trainer = new AdapterTrainer(
                Trainable.of(straight, List.of("w")),
                same,
                TrainingPlan.builder().steps(20).learningRate(0.01).build(),
                Binding.of(same, "input_ids"))) {
            CausalLmIterator data = data();
            trainer.fit(data, null);
            trainer.fit(data, null);
        }
        Bits.assertThatBits(other.getVariable("w").getArr())
                .isEqualTo(straight.getVariable("w").getArr());
    }
}
