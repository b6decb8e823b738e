package dev.samediff.adapters.io;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.HostileFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters from anybody are loaded, put on a model and merged, or refused. Longer: {@code -Dmutations=2000}. */
class HostileAdapterTest {
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
