package dev.samediff.adapters.io;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.SharedFiles;
import dev.samediff.adapters.testing.ToyGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

class AdapterFolderTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path dir;

    static Stream<AdapterMethod> methods() {
        return Stream.of(
                Lora.rank(3).withAlpha(6),
                Lora.rank(3).withAlpha(7).withRankStabilizedScaling(),
                OLora.rank(3).withAlpha(6),
                Pissa.rank(3).withAlpha(4.5),
                Pissa.rank(3).withFastStart(4),
                Pissa.rank(2).withAlpha(5).withRankStabilizedScaling(),
                Sorsa.rank(3).withGamma(0.01),
                Sorsa.rank(3).withAlpha(5));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void the_native_form_comes_back_bit_for_bit(AdapterMethod method) throws IOException {
        AdapterState state = trained(method, everyTarget());
        AdapterFolder.save(state, dir.resolve("a"));
        AdapterState loaded = AdapterFolder.load(dir.resolve("a"));
        assertThat(loaded.config()).isEqualTo(state.config());
        assertThat(loaded.baseHash()).isEqualTo(state.baseHash());
        assertThat(loaded.sites().stream().map(AdapterFolderTest::withoutTensors))
                .containsExactlyElementsOf(state.sites().stream()
                        .map(AdapterFolderTest::withoutTensors)
                        .toList());
        for (int i = 0; i < state.sites().size(); i++) {
            assertThatBits(loaded.sites().get(i).tensors())
                    .isEqualTo(state.sites().get(i).tensors());
            assertThatBits(loaded.sites().get(i).start())
                    .isEqualTo(state.sites().get(i).start());
        }
        assertThatBits(output(AdaptedModel.inject(graph(), Map.of(), loaded).graph()))
                .isEqualTo(output(AdaptedModel.inject(graph(), Map.of(), state).graph()));
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

    @ParameterizedTest
    @MethodSource("methods")
    void the_peft_form_is_a_lora_on_the_original_base_with_the_same_change(AdapterMethod method) throws IOException {
        TargetSelector targets = TargetSelector.allLinear()
                .withRankPattern(Map.of("up_proj", 2))
                .withAlphaPattern(Map.of("down_proj", 2.5));
        AdapterState state = trained(method, targets);
        AdapterFolder.saveAsLora(state, dir.resolve("a"));
        AdapterState plain = AdapterFolder.load(dir.resolve("a"));
        assertThat(plain.config().method().name()).isEqualTo("lora");
        for (int i = 0; i < state.sites().size(); i++) {
            AdapterState.Site site = state.sites().get(i);
            AdapterState.Site lora = plain.sites().stream()
                    .filter(s -> s.module().equals(site.module()))
                    .findFirst()
                    .orElseThrow();
            INDArray change = method.delta(site.tensors(), site.scaling());
            if (!site.startsAtZero()) {
                change = change.sub(method.delta(site.start(), site.scaling()));
            }
            INDArray written = plain.config().method().delta(lora.tensors(), lora.scaling());
            assertThat(written.sub(change).normmaxNumber().doubleValue()).isLessThan(1e-6);
            assertThat(lora.rank()).isEqualTo(method.name().equals("lora") ? site.rank() : 2 * site.rank());
        }
        INDArray expected = output(AdaptedModel.inject(graph(), Map.of(), state).graph());
        INDArray actual = output(AdaptedModel.inject(graph(), Map.of(), plain).graph());
        assertThat(actual.sub(expected).normmaxNumber().doubleValue()).isLessThan(5e-6);
    }

    @Test
    void the_configuration_is_one_that_peft_reads() throws IOException {
        AdapterState state = trained(Sorsa.rank(3), everyTarget().withRankPattern(Map.of("up_proj", 2)));
        AdapterFolder.save(
                state, dir.resolve("a"), new AdapterFolder.Description(Optional.of("gpt2"), Optional.of("CAUSAL_LM")));
        String text = Files.readString(dir.resolve("a/adapter_config.json"));
        JsonNode config = JSON.readTree(text);
        assertThat(text).startsWith("{\n  \"alpha_pattern\": {");
        assertThat(config.properties().stream().map(Map.Entry::getKey).toList()).isSorted();
        assertThat(config.get("peft_type").asText()).isEqualTo("LORA");
        assertThat(config.get("task_type").asText()).isEqualTo("CAUSAL_LM");
        assertThat(config.get("base_model_name_or_path").asText()).isEqualTo("gpt2");
        assertThat(config.get("init_lora_weights").booleanValue()).isTrue();
        assertThat(config.get("inference_mode").booleanValue()).isTrue();
        assertThat(config.get("use_rslora").booleanValue()).isFalse();
        int r = config.get("r").intValue();
        assertThat(r).isIn(4, 6);
        assertThat(config.get("rank_pattern").size()).isEqualTo(1);
        assertThat(config.get("rank_pattern").fieldNames().next()).startsWith("^model.layers.0.");
        assertThat(config.get("target_modules")).hasSize(2);
        Map<String, INDArray> tensors =
                Safetensors.read(dir.resolve("a/adapter_model.safetensors")).tensors();
        assertThat(Npz.get(tensors, "base_model.model." + ToyGraph.UP + ".lora_A.weight")
                        .shape())
                .containsExactly(4, 8);
        assertThat(Npz.get(tensors, "base_model.model." + ToyGraph.UP + ".lora_B.weight")
                        .shape())
                .containsExactly(12, 4);
    }

    @Test
    void every_key_of_the_configuration_is_one_of_pefts() throws IOException {
        Path golden = SharedFiles.require("golden/adapters/pissa/converted_lora/adapter_config.json");
        AdapterFolder.save(trained(Pissa.rank(2), everyTarget()), dir.resolve("a"));
        JsonNode ours = JSON.readTree(dir.resolve("a/adapter_config.json").toFile());
        JsonNode theirs = JSON.readTree(golden.toFile());
        ours.properties()
                .forEach(field -> assertThat(theirs.has(field.getKey()))
                        .as(field.getKey())
                        .isTrue());
        for (String same : List.of("bias", "fan_in_fan_out", "inference_mode", "init_lora_weights", "peft_type")) {
            assertThat(ours.get(same)).isEqualTo(theirs.get(same));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "lora,trained",
        "lora_rslora,trained",
        "gaussian,trained",
        "lora_all_linear,trained",
        "lora_layers_to_transform,trained",
        "lora_regex,trained",
        "lora_exclude,trained",
        "olora,converted_lora",
        "pissa,converted_lora",
        "pissa_niter_4,converted_lora",
        "pissa_rslora,converted_lora",
        "pissa_patterns,converted_lora"
    })
    void adapters_that_peft_saved_give_what_peft_computed(String method, String folder) throws IOException {
        Path golden = SharedFiles.require("golden/adapters");
        AdapterState state = AdapterFolder.load(golden.resolve(method).resolve(folder));
        Map<String, INDArray> base =
                Safetensors.read(golden.resolve("base_model.safetensors")).tensors();
        INDArray expected = Npz.readArray(golden.resolve(method).resolve("trained_out.npy"));
        assertThat(maxDifference(forward(base, state, golden), expected)).isLessThan(2e-6);
        AdapterFolder.save(state, dir.resolve("again"));
        assertThat(maxDifference(forward(base, AdapterFolder.load(dir.resolve("again")), golden), expected))
                .isLessThan(2e-6);
    }

    @ParameterizedTest
    @CsvSource({
        "lora_dora,trained,use_dora",
        "lora_bias,trained,lora_bias",
        "lora_bias_all,trained,bias",
        "lora_modules_to_save,trained,modules_to_save",
        "pissa_modules_to_save,converted_lora,modules_to_save",
        "pissa,trained,pissa",
        "pissa_niter_4,trained,pissa_niter_4",
        "olora,trained,olora"
    })
    void what_is_not_supported_is_refused_by_name(String method, String folder, String reason) throws IOException {
        Path golden = SharedFiles.require("golden/adapters");
        assertThatThrownBy(() -> AdapterFolder.load(golden.resolve(method).resolve(folder)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void the_smallest_configuration_that_peft_accepts_is_enough() throws IOException {
        AdapterFolder.saveAsLora(trained(Lora.rank(2).withAlpha(3), everyTarget()), dir.resolve("a"));
        Files.writeString(
                dir.resolve("a/adapter_config.json"),
                "{\"peft_type\":\"LORA\",\"r\":2,\"lora_alpha\":3.5,\"target_modules\":\"all-linear\",\"new_key\":1}");
        assertThat(AdapterFolder.load(dir.resolve("a")).sites().get(0).scaling())
                .isCloseTo(1.75, within(1e-12));
    }

    @ParameterizedTest
    @CsvSource({
        "r,3,rank_pattern",
        "r,\"two\",whole number",
        "r,null,missing",
        "lora_alpha,-1,alpha",
        "peft_type,\"ADALORA\",ADALORA",
        "peft_type,null,peft_type",
        "rank_pattern,[1],object",
        "rank_pattern,{\"(\":1},regular expression",
        "bias,\"all\",bias",
        "init_lora_weights,\"corda\",corda"
    })
    void a_configuration_that_cannot_be_used_is_refused(String key, String value, String reason) throws IOException {
        AdapterFolder.saveAsLora(trained(Lora.rank(2), everyTarget()), dir.resolve("a"));
        Path file = dir.resolve("a/adapter_config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        config.set(key, JSON.readTree(value));
        Files.writeString(file, config.toString());
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("a")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void a_tensor_that_is_no_lora_factor_is_refused() throws IOException {
        AdapterFolder.saveAsLora(trained(Lora.rank(2), everyTarget()), dir.resolve("a"));
        Path file = dir.resolve("a/adapter_model.safetensors");
        Map<String, INDArray> tensors = new HashMap<>(Safetensors.read(file).tensors());
        tensors.put(
                "base_model.model.wte.lora_embedding_A",
                tensors.values().iterator().next());
        new Safetensors(tensors, Safetensors.PYTORCH).write(file);
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("a")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lora_embedding_A");
    }

    @ParameterizedTest
    @CsvSource({"HALF,1e-3", "BFLOAT16,8e-3", "DOUBLE,0"})
    void factors_of_other_precisions_become_float32(DataType type, double tolerance) throws IOException {
        AdapterState state = trained(Lora.rank(2), everyTarget());
        AdapterFolder.saveAsLora(state, dir.resolve("a"));
        Path file = dir.resolve("a/adapter_model.safetensors");
        Map<String, INDArray> tensors = new HashMap<>(Safetensors.read(file).tensors());
        tensors.replaceAll((key, tensor) -> tensor.castTo(type));
        new Safetensors(tensors, Safetensors.PYTORCH).write(file);
        AdapterState loaded = AdapterFolder.load(dir.resolve("a"));
        for (AdapterState.Site site : state.sites()) {
            INDArray expected = Npz.get(site.tensors(), "lora_A");
            INDArray actual = loaded.sites().stream()
                    .filter(s -> s.module().equals(site.module()))
                    .map(s -> Npz.get(s.tensors(), "lora_A"))
                    .findFirst()
                    .orElseThrow();
            assertThat(actual.dataType()).isEqualTo(DataType.FLOAT);
            assertThat(maxDifference(actual, expected)).isLessThanOrEqualTo(tolerance);
        }
    }

    @Test
    void peft_tensors_that_changed_under_a_native_form_are_noticed() throws IOException {
        Path folder = dir.resolve("a");
        AdapterFolder.save(trained(Pissa.rank(2), everyTarget()), folder);
        AdapterFolder.saveAsLora(trained(Lora.rank(2), everyTarget()), dir.resolve("b"));
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

    @Test
    void named_adapters_in_subfolders_are_found() throws IOException {
        AdapterState state = trained(Lora.rank(2), everyTarget());
        AdapterFolder.saveAsLora(state, dir.resolve("all/math"));
        assertThat(AdapterFolder.load(dir.resolve("all")).config().name()).isEqualTo("math");
        AdapterFolder.saveAsLora(state, dir.resolve("all/code"));
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("all")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("several")
                .hasMessageContaining("math");
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("nothing"))).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> AdapterFolder.load(Files.createDirectory(dir.resolve("empty"))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("holds no adapter");
    }

    @Test
    void saving_replaces_an_adapter_and_nothing_else() throws IOException {
        AdapterState state = trained(Lora.rank(2), everyTarget());
        AdapterFolder.save(state, dir.resolve("a"));
        AdapterFolder.saveAsLora(state, dir.resolve("a"));
        assertThat(dir.resolve("a/native")).doesNotExist();
        Files.writeString(dir.resolve("a/thesis.txt"), "years of work");
        assertThatThrownBy(() -> AdapterFolder.save(state, dir.resolve("a")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("thesis.txt");
        assertThat(dir.resolve("a/thesis.txt")).exists();
    }

    @Test
    void an_adapter_that_is_not_finite_is_not_saved() {
        AdapterState state = trained(Lora.rank(2), everyTarget());
        Npz.get(state.sites().get(0).tensors(), "lora_A").putScalar(0, 1, Float.NaN);
        assertThatThrownBy(() -> AdapterFolder.save(state, dir.resolve("a")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("not finite");
        assertThat(dir.resolve("a")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"native/adapter.json", "native/adapter.safetensors"})
    void a_damaged_native_form_is_refused_and_never_fails_otherwise(String name) throws IOException {
        AdapterFolder.save(trained(Sorsa.rank(2), everyTarget()), dir.resolve("a"));
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

    /** h += down(tanh(up(h))) twice, then the head: the golden model, by hand. */
    private static INDArray forward(Map<String, INDArray> base, AdapterState state, Path golden) throws IOException {
        Map<String, INDArray> delta = new LinkedHashMap<>();
        for (AdapterState.Site site : state.sites()) {
            delta.put(site.module(), state.config().method().delta(site.tensors(), site.scaling()));
        }
        INDArray h = Npz.readArray(golden.resolve("x.npy")).castTo(DataType.DOUBLE);
        for (int i = 0; i < 2; i++) {
            INDArray up = Transforms.tanh(linear(base, delta, "model.layers." + i + ".up_proj", h), true);
            h = h.add(linear(base, delta, "model.layers." + i + ".down_proj", up));
        }
        return linear(base, delta, "head", h);
    }

    private static INDArray linear(Map<String, INDArray> base, Map<String, INDArray> delta, String module, INDArray x) {
        INDArray w = Npz.get(base, module + ".weight").castTo(DataType.DOUBLE).transpose();
        if (delta.containsKey(module)) {
            w = w.add(Npz.get(delta, module));
        }
        return x.mmul(w).addRowVector(Npz.get(base, module + ".bias").castTo(DataType.DOUBLE));
    }

    private static double maxDifference(INDArray a, INDArray b) {
        return a.castTo(DataType.DOUBLE)
                .sub(b.castTo(DataType.DOUBLE))
                .normmaxNumber()
                .doubleValue();
    }

    private static TargetSelector everyTarget() {
        return TargetSelector.suffixes("up_proj", "down_proj");
    }

    private static SameDiff graph() {
        return ToyGraph.create(DataType.FLOAT, 8, 12);
    }

    /** The state of an adapter whose tensors moved away from their start. */
    private static AdapterState trained(AdapterMethod method, TargetSelector targets) {
        AdaptedModel model = AdaptedModel.inject(graph(), new AdapterConfig("mine", method, targets, 5));
        Random random = new Random(3);
        Map<String, INDArray> values = model.trainables();
        values.values()
                .forEach(array -> array.addi(
                        ToyGraph.random(random, DataType.FLOAT, array.shape()).muli(0.1)));
        model.restore(values);
        return model.state();
    }

    private static INDArray output(SameDiff graph) {
        INDArray x = ToyGraph.random(new Random(8), DataType.FLOAT, 5, 8);
        return graph.outputSingle(Map.of("x", x), "out");
    }
}
