package dev.samediff.adapters.train.checkpoint;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Batches;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.Trainable;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.listener.MetricsFile;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.Schedule;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

class CheckpointTest {
    @TempDir
    Path folder;

    /** Stands for a killed process. */
    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private TrainingPlan.Builder plan() {
        return TrainingPlan.builder()
                .steps(20)
                .learningRate(0.01)
                .schedule(Schedule.COSINE)
                .warmupSteps(3)
                .weightDecay(0.01)
                .accumulation(2)
                .evaluateEvery(4)
                .restoreBest(true)
                .checkpoints(folder, 5)
                .seed(7);
    }

    private record Trained(TinyGpt gpt, TrainingResult result) {
        Map<String, INDArray> values() {
            Map<String, INDArray> values = new LinkedHashMap<>();
            gpt.trainables.forEach(name -> values.put(name, gpt.graph.getArrForVarName(name)));
            return values;
        }
    }

    private static TinyGpt gpt() {
        return new TinyGpt(16, 1, 2, 11, 2);
    }

    private static AdapterTrainer trainer(TinyGpt gpt, TrainingPlan plan) {
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        return new AdapterTrainer(
                Trainable.of(gpt.graph, gpt.trainables), loss, plan, Binding.of(loss, "input_ids", "causal"));
    }

    private Trained train(TrainingPlan plan, boolean resume, TrainingListener... listeners) {
        TinyGpt gpt = gpt();
        try (AdapterTrainer trainer = trainer(gpt, plan)) {
            if (resume) {
                trainer.resume(folder);
            }
            return new Trained(gpt, trainer.fit(Batches.of(gpt, 7, 2, 5), Batches.of(gpt, 2, 2, 6), listeners));
        }
    }

    private void trainAndKillAt(int step) {
        assertThatThrownBy(() -> train(plan().build(), false, new TrainingListener() {
                    @Override
                    public void onStep(StepReport report) {
                        if (report.step() == step) {
                            throw new Killed();
                        }
                    }
                }))
                .isInstanceOf(Killed.class);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void a_resumed_training_ends_with_the_same_bits_as_an_uninterrupted_one() throws IOException {
        Trained straight = train(plan().build(), false);
        for (Path each : Files.list(folder).toList()) {
            DurableFiles.deleteTree(each);
        }
        trainAndKillAt(13);
        assertThat(names()).containsExactly("checkpoint-10", "checkpoint-5");
        Trained resumed = train(plan().build(), true);
        assertThat(resumed.result().losses()).isEqualTo(straight.result().losses());
        assertThat(resumed.result().evaluations()).isEqualTo(straight.result().evaluations());
        assertThatBits(resumed.values()).isEqualTo(straight.values());
    }

    @Test
    void only_the_newest_checkpoints_are_kept() throws IOException {
        train(plan().checkpointsKept(1).build(), false);
        assertThat(names()).containsExactly("checkpoint-20");
    }

    @Test
    void a_damaged_checkpoint_is_passed_over_for_the_one_before() throws IOException {
        trainAndKillAt(12);
        Path newest = folder.resolve("checkpoint-10/tensors.safetensors");
        byte[] bytes = Files.readAllBytes(newest);
        bytes[bytes.length - 3] ^= 1;
        Files.write(newest, bytes);
        assertThat(new CheckpointFolder(folder).newest().progress().step()).isEqualTo(5);
        Files.writeString(
                folder.resolve("checkpoint-5/progress.json"), "{\"version\": 1, \"st", StandardCharsets.UTF_8);
        assertThatThrownBy(() -> new CheckpointFolder(folder).newest())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("2 damaged");
    }

    @Test
    void a_write_that_fails_leaves_the_checkpoint_before_it() throws IOException {
        trainAndKillAt(6);
        CheckpointFolder checkpoints = new CheckpointFolder(folder);
        assertThatThrownBy(() -> checkpoints.save(10, 1, target -> {
                    Files.writeString(target.resolve("tensors.safetensors"), "half of");
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("free space");
        assertThat(names()).containsExactly("checkpoint-5");
        assertThat(checkpoints.newest().progress().step()).isEqualTo(5);
    }

    @Test
    void another_plan_is_refused_by_the_names_of_what_differs() {
        trainAndKillAt(6);
        TrainingPlan other = plan().learningRate(0.02).accumulation(1).build();
        assertThatThrownBy(() -> trainer(gpt(), other).resume(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("learning rate was 0.01 and is now 0.02")
                .hasMessageContaining("accumulation was 2 and is now 1");
    }

    @Test
    void another_method_and_another_base_are_refused() {
        Sorsa method = Sorsa.rank(2);
        TrainingPlan plan =
                TrainingPlan.builder().steps(2).checkpoints(folder, 1).build();
        TinyGpt first = new TinyGpt(16, 1, 2, 11, 0);
        adapted(first, method, plan).fit(Batches.of(first, 1, 1, 3), null);
        adapted(new TinyGpt(16, 1, 2, 11, 0), method, plan).resume(folder);
        assertThatThrownBy(() -> adapted(new TinyGpt(16, 1, 2, 11, 0), method.withGamma(1), plan)
                        .resume(folder))
                .hasMessageContaining("method was")
                .hasMessageContaining("gamma=1.0");
        TinyGpt moved = new TinyGpt(16, 1, 2, 11, 0);
        moved.graph.getArrForVarName(moved.weights.get(0)).addi(1e-3);
        assertThatThrownBy(() -> adapted(moved, method, plan).resume(folder)).hasMessageContaining("base model was");
    }

    private static AdapterTrainer adapted(TinyGpt gpt, Sorsa method, TrainingPlan plan) {
        AdaptedModel model = AdaptedModel.inject(gpt.graph, AdapterConfig.of(method));
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        return new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids", "causal"));
    }

    private static AdapterConfig named(String name, AdapterMethod method, String... targets) {
        return AdapterConfig.of(method).withName(name).withTargets(TargetSelector.suffixes(targets));
    }

    private static AdaptedModel model(AdapterConfig... configs) {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 0);
        AdaptedModel model = AdaptedModel.inject(gpt.graph, configs[0]);
        for (AdapterConfig config : List.of(configs).subList(1, configs.length)) {
            model.add(config);
        }
        model.activate(Stream.of(configs).map(AdapterConfig::name).toArray(String[]::new));
        return model;
    }

    private static AdapterTrainer trainer(AdaptedModel model, TrainingPlan plan) {
        TaskLoss loss = Losses.causalLm(model.graph(), "logits");
        return new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids", "causal"));
    }

    @Test
    void several_adapters_are_resumed_to_the_same_bits() throws IOException {
        AdapterConfig[] configs = {
            named("first", Sorsa.rank(2).withGamma(0.01), "c_attn"), named("second", Sorsa.rank(3), "c_attn", "c_fc")
        };
        TinyGpt data = new TinyGpt(16, 1, 2, 11, 0);
        AdaptedModel straight = model(configs);
        try (AdapterTrainer trainer = trainer(straight, plan().build())) {
            trainer.fit(Batches.of(data, 7, 2, 5), Batches.of(data, 2, 2, 6));
        }
        for (Path each : Files.list(folder).toList()) {
            DurableFiles.deleteTree(each);
        }
        assertThatThrownBy(() -> trainer(model(configs), plan().build())
                        .fit(Batches.of(data, 7, 2, 5), Batches.of(data, 2, 2, 6), new TrainingListener() {
                            @Override
                            public void onStep(StepReport report) {
                                if (report.step() == 13) {
                                    throw new Killed();
                                }
                            }
                        }))
                .isInstanceOf(Killed.class);
        AdaptedModel resumed = model(configs);
        resumed.activate("second", "first"); // the order in which they are named says nothing
        try (AdapterTrainer trainer = trainer(resumed, plan().build()).resume(folder)) {
            trainer.fit(Batches.of(data, 7, 2, 5), Batches.of(data, 2, 2, 6));
        }
        assertThatBits(resumed.trainables()).isEqualTo(straight.trainables());
    }

    @Test
    void whatever_differs_in_any_of_several_adapters_is_refused() {
        TrainingPlan plan =
                TrainingPlan.builder().steps(2).checkpoints(folder, 1).build();
        AdapterConfig first = named("first", Lora.rank(2), "c_attn");
        AdapterConfig second = named("second", Sorsa.rank(2), "c_fc", "c_proj");
        TinyGpt data = new TinyGpt(16, 1, 2, 11, 0);
        try (AdapterTrainer trainer = trainer(model(first, second), plan)) {
            trainer.fit(Batches.of(data, 1, 1, 3), null);
        }
        trainer(model(first, second), plan).resume(folder).close();
        Map<String, AdapterConfig[]> others = new LinkedHashMap<>();
        others.put("adapters was first, second and is now first", new AdapterConfig[] {first});
        others.put("adapters was first, second and is now second", new AdapterConfig[] {second});
        others.put(
                "adapters was first, second and is now first, other",
                new AdapterConfig[] {first, second.withName("other")});
        others.put("gamma=0.5", new AdapterConfig[] {
            first, named("second", Sorsa.rank(2).withGamma(0.5), "c_fc", "c_proj")
        });
        others.put("adapter seed was 0, 0 and is now 0, 7", new AdapterConfig[] {first, second.withSeed(7)});
        others.put(
                "layers was 1, 3 and is now 1, 1", new AdapterConfig[] {first, named("second", Sorsa.rank(2), "c_fc")});
        others.put("scaling was 1.0, 1.0 and is now 1.0, {", new AdapterConfig[] {
            first, second.withTargets(second.targets().withAlphaPattern(Map.of("c_fc", 4.0)))
        });
        others.forEach((message, configs) -> assertThatThrownBy(
                        () -> trainer(model(configs), plan).resume(folder))
                .as(message)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(message));
    }

    @Test
    void an_empty_directory_cannot_be_resumed() {
        assertThatThrownBy(() -> trainer(gpt(), plan().build()).resume(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no folder checkpoint-N");
    }

    @Test
    void the_metrics_file_of_a_resumed_training_has_every_step_once() throws IOException {
        Path file = folder.resolve("out/metrics.jsonl");
        try (MetricsFile metrics = new MetricsFile(file)) {
            assertThatThrownBy(() -> train(plan().build(), false, metrics, new TrainingListener() {
                        @Override
                        public void onStep(StepReport report) {
                            if (report.step() == 8) {
                                throw new Killed();
                            }
                        }
                    }))
                    .isInstanceOf(Killed.class);
        }
        assertThat(Files.readAllLines(file)).hasSize(8 + 2);
        train(plan().build(), true, new MetricsFile(file));
        List<String> lines = Files.readAllLines(file);
        assertThat(lines)
                .filteredOn(line -> line.contains("\"event\":\"step\""))
                .hasSize(20);
        assertThat(lines.get(lines.size() - 1))
                .contains("\"event\":\"end\"", "\"nd4j_share\":", "\"nd4j_operations\":{", "\"not_compiled\":null");
        assertThat(lines)
                .filteredOn(line -> line.contains("\"event\":\"evaluation\""))
                .hasSize(6);
        assertThat(lines.get(lines.size() - 1)).contains("\"event\":\"end\"").contains("completed");
    }
}
