package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.HostileFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters from anybody are loaded, put on a model and merged, or refused. Longer: {@code -Dmutations=2000}. */
class HostileAdapterTest {
    private static final int LONG = 1000;

    @TempDir
    Path folder;

    private static void use(Path adapter) throws IOException {
        AdapterState state = AdapterFolder.load(adapter);
        AdaptedModel model = AdaptedModel.inject(TrainedAdapters.graph(), Map.of(), state);
        model.mergedWeights();
    }

    private static TargetSelector patterns() {
        return TargetSelector.regex(".*(up|down)_proj")
                .withRankPattern(Map.of("up_proj", 2))
                .withAlphaPattern(Map.of(".*down_proj", 5.0));
    }

    @Test
    void a_changed_folder_of_peft_is_used_or_refused() throws IOException {
        Path adapter = folder.resolve("peft");
        AdapterFolder.saveAsLora(
                TrainedAdapters.trained(Lora.rank(3).withAlpha(6), TrainedAdapters.everyTarget()), adapter);
        Files.delete(adapter.resolve(FolderManifest.NAME));
        new HostileFiles("adapter folder, PEFT form", adapter, folder).read(HostileAdapterTest::use);
    }

    /** Numbers and forms that JSON allows and no adapter has. */
    @Test
    void odd_values_of_a_configuration_are_used_or_refused() throws IOException {
        Path adapter = folder.resolve("odd");
        AdapterFolder.saveAsLora(
                TrainedAdapters.trained(Lora.rank(3).withAlpha(6), TrainedAdapters.everyTarget()), adapter);
        Files.delete(adapter.resolve(FolderManifest.NAME));
        Path config = adapter.resolve(PeftForm.CONFIG);
        String valid = Files.readString(config);
        String deep = "[".repeat(100_000) + "]".repeat(100_000);
        List<String> values = List.of(
                "1e308",
                "-1e308",
                "1e-320",
                "1e999",
                "2147483648",
                "9223372036854775808",
                "-0.0",
                "3.0",
                "\"3\"",
                "NaN",
                "null",
                "true",
                "[]",
                "{}",
                "{\"a\":{\"a\":1}}",
                "[[[1]]]",
                deep,
                "\"" + "a".repeat(1_000_000) + "\"",
                "{\".*\":1e308}",
                "{\"\":0}",
                "[\"\",\"\",null]",
                "\"\\ud800\"",
                "9".repeat(1_000_000));
        List<String> keys = List.of(
                "r",
                "lora_alpha",
                "target_modules",
                "rank_pattern",
                "alpha_pattern",
                "use_rslora",
                "peft_type",
                "bias",
                "modules_to_save",
                "layers_to_transform",
                "layers_pattern",
                "exclude_modules",
                "fan_in_fan_out",
                "unknown");
        for (String key : keys) {
            boolean plain = !Set.of("r", "target_modules", "unknown").contains(key);
            for (String value : values) {
                if (plain && value.length() > LONG) {
                    continue; // megabytes take their time
                }
                String without = valid.replaceAll("(?s)\"" + key + "\" : (\\[.*?\\]|\\{.*?\\}|[^,\n}]*),?", "");
                Files.writeString(
                        config, without.replaceFirst("\\{", "{\"" + key + "\":" + value.replace("\\", "\\\\") + ","));
                useOrRefuse(adapter, key + " " + value.substring(0, Math.min(40, value.length())));
            }
            Files.writeString(config, valid.replaceFirst("\\{", "{\"" + key + "\":1,\"" + key + "\":2,"));
            useOrRefuse(adapter, "twice " + key);
        }
    }

    private static void useOrRefuse(Path adapter, String what) {
        try {
            use(adapter);
        } catch (InvalidInputException refusal) {
            assertThat(refusal.getMessage())
                    .as(what)
                    .doesNotContain("Exception", "java.", "jackson", "dev.samediff")
                    .hasSizeLessThan(2001);
        } catch (IOException | RuntimeException | Error e) {
            throw new AssertionError(what + ": " + e, e);
        }
    }

    @Test
    void a_changed_native_form_is_used_or_refused() throws IOException {
        Path adapter = folder.resolve("native");
        AdapterFolder.save(
                TrainedAdapters.trained(Sorsa.rank(3).withGamma(0.01), TrainedAdapters.everyTarget()), adapter);
        for (String derived : new String[] {FolderManifest.NAME, PeftForm.CONFIG, PeftForm.TENSORS}) {
            Files.delete(adapter.resolve(derived));
        }
        new HostileFiles("adapter folder, native form", adapter, folder).read(HostileAdapterTest::use);
    }

    @Test
    void changed_tensors_are_read_or_refused() throws IOException {
        Path adapter = folder.resolve("tensors");
        AdapterFolder.save(TrainedAdapters.trained(Lora.rank(3).withAlpha(6), TrainedAdapters.everyTarget()), adapter);
        new HostileFiles("safetensors", adapter.resolve(PeftForm.TENSORS), folder).read(Safetensors::read);
    }

    @Test
    void changed_patterns_are_used_or_refused() throws IOException {
        Path adapter = folder.resolve("patterns");
        AdapterFolder.save(TrainedAdapters.trained(Lora.rank(3).withAlpha(6), patterns()), adapter);
        Path config = adapter.resolve(NativeForm.FOLDER).resolve(NativeForm.CONFIG);
        Path valid = Files.copy(config, folder.resolve("valid.json"));
        new HostileFiles("adapter folder, patterns", valid, folder).read(changed -> {
            Files.copy(changed, config, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            use(adapter);
        });
    }
}
