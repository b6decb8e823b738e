package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** The form that PEFT reads, and what PEFT wrote. */
class PeftFormTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path dir;

    @ParameterizedTest
    @MethodSource("dev.samediff.adapters.io.TrainedAdapters#methods")
    void the_peft_form_is_a_lora_on_the_original_base_with_the_same_change(AdapterMethod method) throws IOException {
        TargetSelector targets = TargetSelector.allLinear()
                .withRankPattern(Map.of("up_proj", 2))
                .withAlphaPattern(Map.of("down_proj", 2.5));
        AdapterState state = TrainedAdapters.trained(method, targets);
        AdapterFolder.saveAsLora(state, dir.resolve("a"));
        AdapterState plain = AdapterFolder.load(dir.resolve("a"));
        assertThat(plain.config().method().name())
                .isEqualTo(
                        method.magnitude().isPresent() ? "dora" : method.bias().isPresent() ? "lora_bias" : "lora");
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
            assertThat(lora.rank()).isEqualTo(site.startsAtZero() ? site.rank() : 2 * site.rank());
        }
        INDArray expected = TrainedAdapters.output(
                AdaptedModel.inject(TrainedAdapters.graph(), Map.of(), state).graph());
        INDArray actual = TrainedAdapters.output(
                AdaptedModel.inject(TrainedAdapters.graph(), Map.of(), plain).graph());
        assertThat(actual.sub(expected).normmaxNumber().doubleValue()).isLessThan(5e-6);
    }

    @Test
    void the_configuration_is_one_that_peft_reads() throws IOException {
        AdapterState state = TrainedAdapters.trained(
                Sorsa.rank(3), TrainedAdapters.everyTarget().withRankPattern(Map.of("up_proj", 2)));
        AdapterFolder.save(
                state, dir.resolve("a"), new AdapterFolder.Description(Optional.of("gpt2"), Optional.of("CAUSAL_LM")));
        assertThat(AdapterFolder.description(dir.resolve("a")))
                .isEqualTo(new AdapterFolder.Description(Optional.of("gpt2"), Optional.of("CAUSAL_LM")));
        AdapterFolder.save(state, dir.resolve("silent"));
        assertThat(AdapterFolder.description(dir.resolve("silent"))).isEqualTo(AdapterFolder.Description.NONE);
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
        AdapterFolder.save(TrainedAdapters.trained(Pissa.rank(2), TrainedAdapters.everyTarget()), dir.resolve("a"));
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
        "lora_dora,trained",
        "lora_all_linear,trained",
        "lora_layers_to_transform,trained",
        "lora_regex,trained",
        "lora_exclude,trained",
        "olora,converted_lora",
        "pissa,converted_lora",
        "lora_bias,trained",
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
        assertThat(TrainedAdapters.maxDifference(forward(base, state, golden), expected))
                .isLessThan(2e-6);
        AdapterFolder.save(state, dir.resolve("again"));
        assertThat(TrainedAdapters.maxDifference(
                        forward(base, AdapterFolder.load(dir.resolve("again")), golden), expected))
                .isLessThan(2e-6);
    }

    @ParameterizedTest
    @CsvSource({
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
        AdapterFolder.saveAsLora(
                TrainedAdapters.trained(Lora.rank(2).withAlpha(3), TrainedAdapters.everyTarget()), dir.resolve("a"));
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
        AdapterFolder.saveAsLora(
                TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget()), dir.resolve("a"));
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
        AdapterFolder.saveAsLora(
                TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget()), dir.resolve("a"));
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
        AdapterState state = TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget());
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
            assertThat(TrainedAdapters.maxDifference(actual, expected)).isLessThanOrEqualTo(tolerance);
        }
    }

    /** h += down(tanh(up(h))) twice, then the head: the golden model, by hand. */
    private static INDArray forward(Map<String, INDArray> base, AdapterState state, Path golden) throws IOException {
        Map<String, INDArray> weights = new LinkedHashMap<>();
        base.forEach((name, tensor) -> weights.put(name, tensor.castTo(DataType.DOUBLE)));
        for (AdapterState.Site site : state.sites()) {
            AdapterMethod method = state.config().method();
            INDArray weight = Npz.get(weights, site.module() + ".weight").transpose();
            INDArray sum = weight.add(method.delta(site.tensors(), site.scaling()));
            INDArray changed = method.magnitude()
                    .map(lengths -> sum.mulRowVector(Npz.get(site.tensors(), lengths)
                            .castTo(DataType.DOUBLE)
                            .div(sum.norm2(0))))
                    .orElse(sum);
            weights.put(site.module() + ".weight", changed.transpose());
            method.bias()
                    .ifPresent(name -> weights.computeIfPresent(
                            site.module() + ".bias",
                            (key, own) -> own.add(Npz.get(site.tensors(), name)
                                    .castTo(DataType.DOUBLE)
                                    .mul(site.scaling()))));
        }
        INDArray h = Npz.readArray(golden.resolve("x.npy")).castTo(DataType.DOUBLE);
        for (int i = 0; i < 2; i++) {
            INDArray up = Transforms.tanh(linear(weights, "model.layers." + i + ".up_proj", h), true);
            h = h.add(linear(weights, "model.layers." + i + ".down_proj", up));
        }
        return linear(weights, "head", h);
    }

    private static INDArray linear(Map<String, INDArray> weights, String module, INDArray x) {
        return x.mmul(Npz.get(weights, module + ".weight").transpose())
                .addRowVector(Npz.get(weights, module + ".bias"));
    }
}
