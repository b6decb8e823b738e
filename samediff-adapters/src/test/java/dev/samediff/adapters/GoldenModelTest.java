package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.graph.LinearSites;
import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.OrthonormalPenalty;
import dev.samediff.adapters.method.OrthonormalPenalty.Form;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** A two-layer model with adapters made, trained, merged and converted by PEFT and by the SORSA authors' code. */
class GoldenModelTest {
    private static final String PREFIX = "base_model.model.";

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "lora",
                "lora_rslora",
                "gaussian",
                "lora_all_linear",
                "lora_exclude",
                "lora_layers_to_transform",
                "lora_regex",
                "olora",
                "pissa",
                "pissa_rslora",
                "pissa_patterns",
                "pissa_niter_4"
            })
    void chooses_the_same_layers_and_computes_the_same_with_pefts_tensors(String name) throws IOException {
        Path root = SharedFiles.require("golden/adapters");
        JsonNode json = new ObjectMapper()
                .readTree(root.resolve(name + "/trained/adapter_config.json").toFile());
        Map<String, INDArray> start = tensors(root.resolve(name + "/init/adapter_model.safetensors"));
        Map<String, INDArray> trained = tensors(root.resolve(name + "/trained/adapter_model.safetensors"));
        AdapterConfig config = new AdapterConfig("default", method(json), targets(json), 0);

        SameDiff graph = model(root);
        AdaptedModel model = AdaptedModel.inject(graph, config);
        Set<String> modules = new TreeSet<>();
        trained.keySet().forEach(key -> modules.add(module(key)));
        assertThat(model.sites()).extracting(AdaptedSite::module).containsExactlyInAnyOrderElementsOf(modules);
        assertThat(model.sites())
                .allSatisfy(site -> assertThat(site.rank()).isEqualTo((int)
                        get(trained, PREFIX + site.module() + ".lora_A.weight").size(0)));
        assertThat(difference(output(graph, root), array(root, "base_out"))).isLessThan(2e-6);
        if (!name.startsWith("pissa_niter")) { // those are random at the start
            Map<String, INDArray> residual = tensors(root.resolve(name + "/base_after_injection.safetensors"));
            for (AdaptedSite site : model.sites()) {
                INDArray weight = graph.getVariable(site.layer().weight()).getArr();
                assertThat(difference(weight, get(residual, site.module() + ".base_layer.weight")))
                        .isLessThan(2e-6);
            }
        }

        SameDiff other = model(root);
        AdaptedModel loaded = AdaptedModel.inject(other, Map.of(), state(model, start, trained));
        assertThat(difference(output(other, root), array(root, name + "/trained_out")))
                .isLessThan(5e-6);
        Map<String, INDArray> merged = tensors(root.resolve(name + "/merged_model.safetensors"));
        loaded.mergedWeights()
                .forEach((weight, value) ->
                        assertThat(difference(value, get(merged, weight))).isLessThan(2e-6));
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora_modules_to_save", "lora_bias_all"})
    void what_peft_trained_whole_is_loaded_merged_and_written_as_peft_does(String name) throws IOException {
        Path root = SharedFiles.require("golden/adapters");
        Path folder = root.resolve(name + "/trained");
        AdapterState state = AdapterFolder.load(folder);
        SameDiff graph = model(root);
        AdaptedModel loaded = AdaptedModel.inject(graph, Map.of(), state);
        assertThat(difference(output(graph, root), array(root, name + "/trained_out")))
                .isLessThan(5e-6);
        Map<String, INDArray> merged = tensors(root.resolve(name + "/merged_model.safetensors"));
        Map<String, INDArray> weights = loaded.mergedWeights();
        assertThat(weights.keySet()).containsAll(wholeNames(state));
        weights.forEach((weight, value) ->
                assertThat(difference(value, get(merged, weight))).isLessThan(2e-6));
        loaded.disable();
        assertThat(difference(output(graph, root), array(root, "base_out"))).isLessThan(2e-6);
        AdapterFolder.saveAsLora(loaded.state(), dir.resolve(name));
        Map<String, INDArray> theirs = tensors(folder.resolve("adapter_model.safetensors"));
        Map<String, INDArray> ours = tensors(dir.resolve(name + "/adapter_model.safetensors"));
        assertThat(ours.keySet()).containsExactlyInAnyOrderElementsOf(theirs.keySet());
        ours.forEach((key, value) -> assertThatBits(value).isEqualTo(get(theirs, key)));
        ObjectMapper json = new ObjectMapper();
        JsonNode config =
                json.readTree(dir.resolve(name + "/adapter_config.json").toFile());
        JsonNode expected = json.readTree(folder.resolve("adapter_config.json").toFile());
        assertThat(config.get("bias")).isEqualTo(expected.get("bias"));
        assertThat(config.get("modules_to_save")).isEqualTo(expected.get("modules_to_save"));
    }

    private static List<String> wholeNames(AdapterState state) {
        return state.whole().stream().map(AdapterState.Whole::variable).toList();
    }

    @Test
    void sorsa_starts_regularises_and_converts_like_the_authors_code() throws IOException {
        Path root = SharedFiles.require("golden/sorsa_multi");
        Path base = SharedFiles.require("golden/adapters");
        Map<String, INDArray> init = tensors(root.resolve("init.safetensors"));
        SameDiff graph = model(base);
        AdaptedModel model = AdaptedModel.inject(
                graph, AdapterConfig.of(Sorsa.rank(4)).withTargets(TargetSelector.suffixes("up_proj", "down_proj")));
        for (AdapterState.Site site : model.state().sites()) {
            assertThat(difference(get(site.start(), "sorsa_S"), get(init, site.module() + ".sorsa_S")))
                    .isLessThan(2e-6);
            assertThat(difference(graph.getVariable(site.weight()).getArr(), get(init, site.weight())))
                    .isLessThan(2e-6);
        }
        JsonNode index = new ObjectMapper().readTree(root.resolve("index.json").toFile());
        Map<String, INDArray> perturbed = tensors(root.resolve("perturbed.safetensors"));
        List<Map<String, INDArray>> sites = new ArrayList<>();
        model.sites().forEach(site -> sites.add(sorsa(perturbed, site.module())));
        Map<Form, String> names = Map.of(Form.SUMSQ, "sum_sq_fro", Form.REPO, "repo_mean_fro");
        for (Map.Entry<Form, String> form : names.entrySet()) {
            Penalty.Value value = new OrthonormalPenalty(form.getKey(), 1, "sorsa_A", "sorsa_B").evaluate(sites);
            assertThat(value.value()).isCloseTo(index.get(form.getValue()).asDouble(), within(1e-6));
            Map<String, INDArray> expected = tensors(root.resolve(form.getValue() + "_grads.safetensors"));
            for (int i = 0; i < sites.size(); i++) {
                for (String tensor : List.of("sorsa_A", "sorsa_B")) {
                    INDArray gradient = get(value.gradients().get(i), tensor).transpose();
                    String key = model.sites().get(i).module() + "." + tensor;
                    assertThat(difference(gradient, get(expected, key))).isLessThan(5e-6);
                }
            }
        }
        // PEFT loaded this file and gave trained_out: [A ; A0] and [B S | -B0 S0] of a trained SORSA model.
        Map<String, INDArray> converted = tensors(root.resolve("converted_to_peft_lora/adapter_model.safetensors"));
        List<AdapterState.Site> saved = model.state().sites().stream()
                .map(site -> with(site, sorsa(init, site.module()), trained(converted, site.module())))
                .toList();
        AdapterState state =
                new AdapterState(model.config(), saved, model.state().baseHash());
        assertThat(state.toPlainLora()).hasSize(4).allSatisfy(plain -> {
            assertThat(plain.rank()).isEqualTo(8);
            assertThat(plain.alpha()).isEqualTo(8);
            String key = PREFIX + plain.module();
            assertThat(difference(plain.a().transpose(), get(converted, key + ".lora_A.weight")))
                    .isLessThan(1e-6);
            assertThat(difference(plain.b().transpose(), get(converted, key + ".lora_B.weight")))
                    .isLessThan(1e-6);
        });
        SameDiff other = model(base);
        AdaptedModel.inject(other, Map.of(), state);
        assertThat(difference(output(other, base), array(root, "trained_out"))).isLessThan(5e-6);
    }

    /** {@code h + down(tanh(up(h)))} twice, then a head; PyTorch's Linear weights. */
    private static SameDiff model(Path root) throws IOException {
        Map<String, INDArray> weights = tensors(root.resolve("base_model.safetensors"));
        SameDiff graph = SameDiff.create();
        SDVariable h = graph.placeHolder("x", DataType.FLOAT, -1, 16);
        for (int layer = 0; layer < 2; layer++) {
            String module = "model.layers." + layer + ".";
            SDVariable up = graph.math.tanh(linear(graph, weights, module + "up_proj", h));
            h = h.add(linear(graph, weights, module + "down_proj", up));
        }
        linear(graph, weights, "head", h).rename("out");
        assertThat(LinearSites.scan(graph)).hasSize(5);
        return graph;
    }

    private static SDVariable linear(SameDiff graph, Map<String, INDArray> weights, String module, SDVariable x) {
        SDVariable weight =
                graph.var(module + ".weight", get(weights, module + ".weight").dup());
        SDVariable bias =
                graph.var(module + ".bias", get(weights, module + ".bias").dup());
        return graph.mmul(x, weight, false, true, false).add(bias);
    }

    private static AdapterMethod method(JsonNode json) {
        JsonNode init = json.get("init_lora_weights");
        String name = init.isTextual() && !init.asText().equals("gaussian") ? init.asText() : "lora";
        return AdapterMethods.named(
                name,
                json.get("r").asInt(),
                OptionalDouble.of(json.get("lora_alpha").asDouble()),
                Map.of("rslora", json.get("use_rslora").asText()));
    }

    private static TargetSelector targets(JsonNode json) {
        JsonNode targets = json.get("target_modules");
        TargetSelector selector =
                targets.isTextual() ? TargetSelector.regex(targets.asText()) : TargetSelector.suffixes(texts(targets));
        if (!json.get("exclude_modules").isNull()) {
            JsonNode excluded = json.get("exclude_modules");
            selector = selector.excluding(
                    excluded.isTextual() ? ModuleMatch.regex(excluded.asText()) : ModuleMatch.names(texts(excluded)));
        }
        if (!json.get("layers_to_transform").isNull()) {
            JsonNode layers = json.get("layers_to_transform");
            selector = selector.layers(
                    layers.isInt()
                            ? new Integer[] {layers.asInt()}
                            : StreamSupport.stream(layers.spliterator(), false)
                                    .map(JsonNode::asInt)
                                    .toArray(Integer[]::new));
        }
        Map<String, Integer> ranks = new LinkedHashMap<>();
        json.get("rank_pattern")
                .fields()
                .forEachRemaining(e -> ranks.put(e.getKey(), e.getValue().asInt()));
        Map<String, Double> alphas = new LinkedHashMap<>();
        json.get("alpha_pattern")
                .fields()
                .forEachRemaining(e -> alphas.put(e.getKey(), e.getValue().asDouble()));
        return selector.withRankPattern(ranks).withAlphaPattern(alphas);
    }

    private static List<String> texts(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asText)
                .toList();
    }

    private static AdapterState state(AdaptedModel model, Map<String, INDArray> start, Map<String, INDArray> trained) {
        List<AdapterState.Site> sites = model.state().sites().stream()
                .map(site -> with(site, lora(start, site.module()), lora(trained, site.module())))
                .toList();
        return new AdapterState(model.config(), sites, model.state().baseHash());
    }

    private static AdapterState.Site with(
            AdapterState.Site site, Map<String, INDArray> start, Map<String, INDArray> tensors) {
        return new AdapterState.Site(
                site.module(),
                site.weight(),
                site.in(),
                site.out(),
                site.rank(),
                site.alpha(),
                site.scaling(),
                tensors,
                start,
                site.startsAtZero(),
                site.weightHash());
    }

    private static Map<String, INDArray> lora(Map<String, INDArray> file, String module) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        for (String name : List.of("lora_A", "lora_B")) {
            tensors.put(
                    name,
                    get(file, PREFIX + module + "." + name + ".weight")
                            .transpose()
                            .dup('c'));
        }
        return tensors;
    }

    private static Map<String, INDArray> sorsa(Map<String, INDArray> file, String module) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        for (String name : List.of("sorsa_A", "sorsa_S", "sorsa_B")) {
            INDArray tensor = get(file, module + "." + name);
            tensors.put(name, tensor.rank() == 2 ? tensor.transpose().dup('c') : tensor.dup());
        }
        return tensors;
    }

    /** The trained half of a converted file as SORSA tensors; S is contained in B. */
    private static Map<String, INDArray> trained(Map<String, INDArray> converted, String module) {
        INDArray a = get(converted, PREFIX + module + ".lora_A.weight").transpose();
        INDArray b = get(converted, PREFIX + module + ".lora_B.weight").transpose();
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put(
                "sorsa_A",
                a.get(NDArrayIndex.all(), NDArrayIndex.interval(0, 4)).dup('c'));
        tensors.put("sorsa_S", Nd4j.ones(DataType.FLOAT, 4));
        tensors.put(
                "sorsa_B",
                b.get(NDArrayIndex.interval(0, 4), NDArrayIndex.all()).dup('c'));
        return tensors;
    }

    private static String module(String key) {
        return key.substring(PREFIX.length(), key.indexOf(".lora_"));
    }

    private static Map<String, INDArray> tensors(Path file) throws IOException {
        return Safetensors.read(file).tensors();
    }

    private static INDArray array(Path root, String name) throws IOException {
        return Npz.readArray(root.resolve(name + ".npy"));
    }

    private static INDArray output(SameDiff graph, Path root) throws IOException {
        return get(graph.output(Map.of("x", array(root, "x")), "out"), "out");
    }

    private static INDArray get(Map<String, INDArray> map, String key) {
        return Objects.requireNonNull(map.get(key), () -> key + " is not among " + map.keySet());
    }

    private static double difference(INDArray a, INDArray b) {
        return a.sub(b).amaxNumber().doubleValue();
    }
}
