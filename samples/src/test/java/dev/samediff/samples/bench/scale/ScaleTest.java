package dev.samediff.samples.bench.scale;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.importer.HuggingFaceImporter;
import dev.samediff.importer.ImportedModel;
import dev.samediff.samples.plan.MemoryPart;
import dev.samediff.samples.plan.Planner;
import dev.samediff.samples.plan.TrainingPlanned;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The papers' shapes, folders of small ones, their training and its plan. */
class ScaleTest {
    private static final LlamaShape TINY = new LlamaShape(64, 96, 2, 4, 2, 128);

    @TempDir
    private Path folder;

    private static Planner.Request request(
            Path model, AdapterConfig config, int batch, int length, Precision precision) {
        return new Planner.Request(
                model,
                config,
                Optional.empty(),
                batch,
                length,
                EngineOptions.defaults().withPrecision(precision));
    }

    private static long bytes(TrainingPlanned planned, String what) {
        return planned.parts().stream()
                .filter(part -> part.what().contains(what))
                .mapToLong(MemoryPart::bytes)
                .sum();
    }

    @Test
    void shapes_have_the_published_numbers_of_parameters() {
        assertThat(LlamaShape.parse("tinyllama-1.1b").parameters()).isEqualTo(1_100_048_384L);
        assertThat(LlamaShape.parse("llama-2-7b").parameters()).isEqualTo(6_738_415_616L);
        assertThat(LlamaShape.parse(TINY.toString())).isEqualTo(TINY);
        assertThatThrownBy(() -> LlamaShape.parse("llama"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("tinyllama-1.1b");
        assertThatThrownBy(() -> LlamaShape.parse("d=64 f=96 L=2 H=3 K=2 V=128"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("multiple");
    }

    @Test
    void a_folder_of_a_shape_is_a_model_and_is_written_once() throws IOException {
        Path model = LlamaFolder.write(TINY, folder.resolve("model"));
        ImportedModel imported = HuggingFaceImporter.load(model);
        assertThat(imported.linearLayers()).hasSize(7 * 2 + 1);
        assertThat(imported.linearLayers().stream()
                        .filter(layer -> layer.module().contains("layers"))
                        .mapToLong(layer -> (long) layer.in() * layer.out())
                        .sum())
                .isEqualTo(TINY.blockParameters());
        Object before = Files.getLastModifiedTime(model.resolve("model.safetensors"));
        LlamaFolder.write(TINY, model);
        assertThat(Files.getLastModifiedTime(model.resolve("model.safetensors")))
                .isEqualTo(before);
    }

    @Test
    void a_job_imports_starts_and_trains() throws IOException {
        Path model = LlamaFolder.write(TINY, folder.resolve("model"));
        for (String method : List.of("lora", "sorsa")) {
            ScaleRun run =
                    ScaleProbe.run(new ScaleJob(model.toString(), method, 4, 16, true, true, 2, folder.toString()));
            assertThat(run.loss()).isBetween(3.0, 7.0); // around ln(128) = 4.9
            assertThat(run.peakBytes()).isGreaterThanOrEqualTo(run.startPeakBytes());
            assertThat(run.secondsToFirstStep()).isPositive();
        }
    }

    @Test
    void a_plan_reads_no_weight() throws IOException {
        Path model = LlamaFolder.write(TINY, folder.resolve("model"));
        Path weights = model.resolve("model.safetensors");
        TrainingPlanned expected =
                Planner.plan(request(model, AdapterConfig.of(Lora.rank(4)), 1, 32, Precision.FLOAT32));
        try (RandomAccessFile file = new RandomAccessFile(weights.toFile(), "rw")) {
            long half = file.length() / 2;
            file.seek(half);
            byte[] notANumber = new byte[(int) (file.length() - half)];
            Arrays.fill(notANumber, (byte) 0xff); // a training would refuse the weights
            file.write(notANumber);
        }
        TrainingPlanned planned =
                Planner.plan(request(model, AdapterConfig.of(Lora.rank(4)), 1, 32, Precision.FLOAT32));
        assertThat(planned.parts()).isEqualTo(expected.parts());
    }

    @Test
    void parts_are_what_can_be_counted_by_hand() throws IOException {
        Path model = LlamaFolder.write(TINY, folder.resolve("model"));
        long trained = TINY.adapterParameters(4);
        TrainingPlanned lora = Planner.plan(request(model, AdapterConfig.of(Lora.rank(4)), 2, 32, Precision.BFLOAT16));
        long products = TINY.blockParameters() + 128L * 64;
        assertThat(lora.weights()).isEqualTo(products);
        assertThat(lora.adapterParameters()).isEqualTo(trained);
        assertThat(bytes(lora, "bfloat16")).isEqualTo(2 * products);
        assertThat(bytes(lora, "adapters")).isEqualTo(16 * trained);
        assertThat(lora.operations()).isEqualTo(64 * (4.0 * products + 6.0 * trained));
        assertThat(lora.gigaflops()).isPositive();
        TrainingPlanned sorsa =
                Planner.plan(request(model, AdapterConfig.of(Sorsa.rank(4)), 2, 32, Precision.BFLOAT16));
        assertThat(bytes(sorsa, "adapters")).isEqualTo(20 * trained);
        TrainingPlanned longer =
                Planner.plan(request(model, AdapterConfig.of(Lora.rank(4)), 2, 64, Precision.BFLOAT16));
        assertThat(bytes(longer, "intermediate")).isGreaterThan(bytes(lora, "intermediate"));
        assertThat(longer.longestText().orElseThrow()).isGreaterThan(64);
    }

    @Test
    void what_a_model_cannot_do_is_refused() throws IOException {
        Path model = LlamaFolder.write(TINY, folder.resolve("model"));
        assertThatThrownBy(() -> request(model, AdapterConfig.of(Lora.rank(4)), 0, 32, Precision.FLOAT32))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("a batch of 0 texts");
        assertThatThrownBy(() -> Planner.plan(new Planner.Request(
                        model, AdapterConfig.of(Lora.rank(4)), Optional.of("scores"), 1, 32, EngineOptions.defaults())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("scores")
                .hasMessageContaining("logits");
    }
}
