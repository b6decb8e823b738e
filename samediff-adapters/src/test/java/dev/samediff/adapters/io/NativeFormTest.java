package dev.samediff.adapters.io;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The form from which a method goes on training, and when it is out of date. */
class NativeFormTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path dir;

    @ParameterizedTest
    @MethodSource("dev.samediff.adapters.io.TrainedAdapters#methods")
    void the_native_form_comes_back_bit_for_bit(AdapterMethod method) throws IOException {
        AdapterState state = TrainedAdapters.trained(method, TrainedAdapters.everyTarget());
        AdapterFolder.save(state, dir.resolve("a"));
        AdapterState loaded = AdapterFolder.load(dir.resolve("a"));
        assertThat(loaded.config()).isEqualTo(state.config());
        assertThat(loaded.baseHash()).isEqualTo(state.baseHash());
        assertThat(loaded.sites().stream().map(NativeFormTest::withoutTensors))
                .containsExactlyElementsOf(state.sites().stream()
                        .map(NativeFormTest::withoutTensors)
                        .toList());
        for (int i = 0; i < state.sites().size(); i++) {
            assertThatBits(loaded.sites().get(i).tensors())
                    .isEqualTo(state.sites().get(i).tensors());
            assertThatBits(loaded.sites().get(i).start())
                    .isEqualTo(state.sites().get(i).start());
        }
        assertThatBits(TrainedAdapters.output(AdaptedModel.inject(TrainedAdapters.graph(), Map.of(), loaded)
                        .graph()))
                .isEqualTo(TrainedAdapters.output(AdaptedModel.inject(TrainedAdapters.graph(), Map.of(), state)
                        .graph()));
    }

    private static List<Object> withoutTensors(AdapterState.Site site) {
        return List.of(
                site.module(),
                site.weight(),
                site.in(),
                site.out(),
                site.rank(),
                site.alpha(),
                site.scaling(),
                site.startsAtZero(),
                site.weightHash(),
                site.kind());
    }

    @Test
    void peft_tensors_that_changed_under_a_native_form_are_noticed() throws IOException {
        Path folder = dir.resolve("a");
        AdapterFolder.save(TrainedAdapters.trained(Pissa.rank(2), TrainedAdapters.everyTarget()), folder);
        AdapterFolder.saveAsLora(
                TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget()), dir.resolve("b"));
        for (String file : List.of("adapter_model.safetensors", "adapter_config.json")) {
            Files.copy(
                    dir.resolve("b").resolve(file),
                    folder.resolve(file),
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
        assertThatThrownBy(() -> AdapterFolder.load(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("was changed after native was saved");
        DurableFiles.deleteTree(folder.resolve("native"));
        assertThat(AdapterFolder.load(folder).config().method().name()).isEqualTo("lora");
    }

    @ParameterizedTest
    @ValueSource(strings = {"native/adapter.json", "native/adapter.safetensors"})
    void a_damaged_native_form_is_refused_and_never_fails_otherwise(String name) throws IOException {
        AdapterFolder.save(TrainedAdapters.trained(Sorsa.rank(2), TrainedAdapters.everyTarget()), dir.resolve("a"));
        Path file = dir.resolve("a").resolve(name);
        byte[] whole = Files.readAllBytes(file);
        Random random = new Random(5);
        for (int i = 0; i < 200; i++) {
            byte[] damaged = i % 3 == 0 ? java.util.Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            if (i % 3 != 0) {
                damaged[random.nextInt(whole.length)] = (byte) random.nextInt();
            }
            Files.write(file, damaged);
            try {
                AdapterFolder.load(dir.resolve("a"));
            } catch (InvalidInputException expected) {
                assertThat(expected.getMessage()).contains(dir.resolve("a").toString());
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lora_alpha         | 32",
                "lora_alpha         | 12.5",
                "r                  | 5",
                "use_rslora         | true",
                "rank_pattern       | {\"up_proj\": 1}",
                "alpha_pattern      | {\"up_proj\": 1}",
                "target_modules     | [\"q_proj\"]",
                "peft_type          | \"LOHA\"",
                "bias               | \"all\"",
                "use_dora           | true",
                "modules_to_save    | [\"lm_head\"]",
                "trainable_token_indices | [3]",
                "init_lora_weights  | \"pissa\"",
                "layers_to_transform| [1]"
            })
    void a_peft_configuration_that_was_edited_is_said_and_neither_form_is_taken(String key, String value)
            throws IOException {
        Path folder = dir.resolve("a");
        AdapterFolder.save(TrainedAdapters.trained(Pissa.rank(2), TrainedAdapters.everyTarget()), folder);
        edit(folder, key, value);
        assertThatThrownBy(() -> AdapterFolder.load(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`" + key + "` is ")
                .hasMessageContaining(" and was ")
                .hasMessageContaining("was changed after native was saved");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "base_model_name_or_path | \"gpt2-xl\"",
                "task_type               | \"SEQ_CLS\"",
                "inference_mode          | false",
                "lora_dropout            | 0.1",
                "revision                | \"main\"",
                "fan_in_fan_out          | true",
                "use_dora                | false",
                "modules_to_save         | null",
                "exclude_modules         | null",
                "peft_version            | \"0.17.0\"",
                "lora_alpha              | 2.0",
                "lora_bias               | false"
            })
    void what_peft_writes_when_it_saves_again_changes_nothing(String key, String value) throws IOException {
        Path folder = dir.resolve("a");
        AdapterState state = TrainedAdapters.trained(Lora.rank(2).withAlpha(2), TrainedAdapters.everyTarget());
        AdapterFolder.save(state, folder);
        edit(folder, key, value);
        reverseTargets(folder);
        assertThat(AdapterFolder.load(folder).config()).isEqualTo(state.config());
    }

    private static void edit(Path folder, String key, String value) throws IOException {
        Path file = folder.resolve("adapter_config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        config.set(key, JSON.readTree(value));
        Files.writeString(file, config.toString());
    }

    /** PEFT keeps target modules in a set, whose order changes. */
    private static void reverseTargets(Path folder) throws IOException {
        Path file = folder.resolve("adapter_config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        ArrayNode reversed = JSON.createArrayNode();
        config.path("target_modules").forEach(target -> reversed.insert(0, target));
        assertThat(reversed).hasSize(2).isNotEqualTo(config.path("target_modules"));
        config.set("target_modules", reversed);
        Files.writeString(file, config.toString());
    }
}
