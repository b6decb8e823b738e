package dev.samediff.adapters;

import static dev.samediff.adapters.Ia3Graph.METHOD;
import static dev.samediff.adapters.Ia3Graph.feeds;
import static dev.samediff.adapters.Ia3Graph.graph;
import static dev.samediff.adapters.Ia3Graph.output;
import static dev.samediff.adapters.Ia3Graph.trained;
import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Folders of (IA)^3 as PEFT writes them. */
class Ia3FolderTest {
    @TempDir
    Path folder;

    @Test
    void a_module_is_trained_whole_beside_it() throws IOException {
        AdapterConfig config = AdapterConfig.of(METHOD)
                .withTargets(TargetSelector.suffixes("up"))
                .withModulesToSave("down");
        AdapterState state = AdaptedModel.inject(graph(DataType.FLOAT, Orientation.OUT_IN, true), config)
                .state();
        AdapterFolder.save(state, folder.resolve("whole"));
        assertThat(Safetensors.read(folder.resolve("whole/adapter_model.safetensors"))
                        .tensors())
                .containsOnlyKeys(
                        "base_model.model.block.up.ia3_l",
                        "base_model.model.block.down.weight",
                        "base_model.model.block.down.bias");
        Files.delete(folder.resolve("whole/native/adapter.json"));
        Files.delete(folder.resolve("whole/native/adapter.safetensors"));
        Files.delete(folder.resolve("whole/native"));
        AdapterState read = AdapterFolder.load(folder.resolve("whole"));
        assertThat(read.whole()).hasSize(2);
        assertThat(read.sites()).hasSize(1);
    }

    /** Names, shapes and keys are those of PEFT's IA3Config and IA3Layer. */
    @Test
    void the_folder_is_pefts() throws IOException {
        AdapterState state = AdaptedModel.inject(
                        graph(DataType.FLOAT, Orientation.IN_OUT, true), AdapterConfig.of(METHOD))
                .state();
        AdapterFolder.save(state, folder.resolve("adapter"));
        Map<String, INDArray> tensors = Safetensors.read(folder.resolve("adapter/adapter_model.safetensors"))
                .tensors();
        assertThat(tensors.get("base_model.model.block.up.ia3_l").shape()).containsExactly(7, 1);
        assertThat(tensors.get("base_model.model.block.down.ia3_l").shape()).containsExactly(1, 7);
        assertThat(tensors).hasSize(2);
        assertThat(Files.readString(folder.resolve("adapter/adapter_config.json")))
                .contains("\"IA3\"", "feedforward_modules", "init_ia3_weights")
                .doesNotContain("lora");
    }

    @Test
    void a_saved_adapter_is_read_in_both_forms_and_computes_the_same() throws IOException {
        AdapterState state = trained();
        AdapterFolder.save(state, folder.resolve("native"));
        assertThatBits(AdapterFolder.load(folder.resolve("native"))
                        .sites()
                        .get(0)
                        .tensors())
                .isEqualTo(state.sites().get(0).tensors());
        assertThat(AdapterFolder.load(folder.resolve("native")).config().method())
                .isEqualTo(METHOD);

        Path peft = Files.createDirectories(folder.resolve("peft"));
        for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
            Files.copy(folder.resolve("native").resolve(file), peft.resolve(file));
        }
        AdapterState read = AdapterFolder.load(peft);
        AdapterFolder.save(read, folder.resolve("again"));
        assertThatBits(Safetensors.read(folder.resolve("again/adapter_model.safetensors"))
                        .tensors())
                .isEqualTo(Safetensors.read(peft.resolve("adapter_model.safetensors"))
                        .tensors());
        Map<String, INDArray> feeds = feeds(DataType.FLOAT);
        INDArray expected = output(of(state), feeds);
        assertThatBits(output(of(read), feeds)).isEqualTo(expected);
        assertThatBits(output(of(AdapterFolder.load(folder.resolve("again"))), feeds))
                .isEqualTo(expected);
    }

    /** The same base with an adapter. */
    private static SameDiff of(AdapterState state) {
        Nd4j.getRandom().setSeed(5);
        SameDiff graph = graph(DataType.FLOAT, Orientation.OUT_IN, true);
        AdapterState anywhere = new AdapterState(
                state.config(),
                state.sites().stream()
                        .map(site -> site.withWeightHash(AdapterState.UNKNOWN_HASH))
                        .toList(),
                state.whole(),
                state.baseHash());
        AdaptedModel.inject(graph, Map.of(), anywhere);
        return graph;
    }

    @Test
    void a_folder_of_peft_for_layers_of_another_size_is_refused() throws IOException {
        Path peft = write("[1, 2]", Map.of("base_model.model.block.up.ia3_l", Nd4j.ones(DataType.FLOAT, 6, 1)));
        AdapterState state = AdapterFolder.load(peft);
        SameDiff graph = graph(DataType.FLOAT, Orientation.IN_OUT, true);
        assertThatThrownBy(() -> AdaptedModel.inject(graph, Map.of(), state))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("block.up");
    }

    @Test
    void tensors_that_are_no_vectors_are_refused() throws IOException {
        for (long[] shape : new long[][] {{2, 3}, {7}, {1, 7, 1, 1}}) {
            Path peft = write("x", Map.of("base_model.model.block.up.ia3_l", Nd4j.ones(DataType.FLOAT, shape)));
            assertThatThrownBy(() -> AdapterFolder.load(peft))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("block.up.ia3_l")
                    .hasMessageContaining("[1,in]");
        }
    }

    private Path write(String target, Map<String, INDArray> tensors) throws IOException {
        Path peft = Files.createTempDirectory(folder, "peft");
        new Safetensors(tensors, Safetensors.PYTORCH).write(peft.resolve("adapter_model.safetensors"));
        Files.writeString(peft.resolve("adapter_config.json"), """
                {"peft_type": "IA3", "target_modules": ["%s"], "feedforward_modules": []}
                """.formatted(target));
        return peft;
    }
}
