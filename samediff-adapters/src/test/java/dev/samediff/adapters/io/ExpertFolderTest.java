package dev.samediff.adapters.io;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.ExpertGraph;
import dev.samediff.adapters.testing.ToyGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Folders of adapters on experts in one tensor, in the native form and in PEFT's. */
class ExpertFolderTest {
    private static final String OWNER = "base_model.model.mlp.experts";

    @TempDir
    Path folder;

    static List<AdapterMethod> methods() {
        return List.of(Lora.rank(2).withAlpha(4), Pissa.rank(2).withAlpha(4), Sorsa.rank(2));
    }

    private static AdaptedModel trained(AdapterMethod method) {
        AdaptedModel model = AdaptedModel.inject(
                ExpertGraph.stacked(DataType.FLOAT),
                AdapterConfig.of(method)
                        .withTargets(TargetSelector.suffixes("up", "down", "gate")
                                .withRankPattern(Map.of("experts.down", 3))));
        Random random = new Random(5);
        Map<String, INDArray> values = new LinkedHashMap<>();
        model.trainables()
                .forEach((name, value) ->
                        values.put(name, value.add(ToyGraph.random(random, value.dataType(), value.shape()))));
        model.restore(values);
        return model;
    }

    private static INDArray output(SameDiff graph) {
        return graph.output(ExpertGraph.feeds(DataType.FLOAT, 5), "y").get("y").dup();
    }

    private AdaptedModel loaded() throws IOException {
        return AdaptedModel.inject(ExpertGraph.stacked(DataType.FLOAT), Map.of(), AdapterFolder.load(folder));
    }

    private void deleteNative() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("native"))) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("methods")
    void saved_and_loaded_they_compute_the_same_in_both_forms(AdapterMethod method) throws IOException {
        AdaptedModel model = trained(method);
        AdapterFolder.save(model.state(), folder);
        assertThatBits(output(loaded().graph())).isEqualTo(output(model.graph()));
        deleteNative();
        AdapterState peft = AdapterFolder.load(folder);
        assertThat(peft.sites())
                .extracting(AdapterState.Site::module)
                .containsExactlyInAnyOrder("mlp.gate", ExpertGraph.UP, ExpertGraph.DOWN);
        assertThat(output(loaded().graph())
                        .sub(output(model.graph()))
                        .amaxNumber()
                        .doubleValue())
                .isLessThan(1e-4);
        AdapterFolder.save(peft, folder); // and again
        assertThat(output(loaded().graph())
                        .sub(output(model.graph()))
                        .amaxNumber()
                        .doubleValue())
                .isLessThan(1e-4);
    }

    /** ParamWrapper.get_delta_weight: A as [e,r,i], B as [o,r,e], "o r e, e r i -> e i o", times alpha / r. */
    @Test
    void pefts_formula_on_the_files_tensors_is_the_change_of_the_weights() throws IOException {
        AdaptedModel model = trained(Lora.rank(2).withAlpha(4));
        AdapterFolder.save(model.state(), folder);
        ObjectNode config = config();
        assertThat(config.get("target_parameters"))
                .map(each -> each.asText())
                .containsExactly(ExpertGraph.UP, ExpertGraph.DOWN);
        assertThat(config.get("target_modules")).map(each -> each.asText()).containsExactly("mlp.gate");
        Map<String, INDArray> file =
                Safetensors.read(folder.resolve("adapter_model.safetensors")).tensors();
        check(model, file, ".base_layer", ExpertGraph.UP, 2, 2.0, true);
        check(model, file, "", ExpertGraph.DOWN, 3, 4 / 3.0, false);
    }

    private static void check(
            AdaptedModel model,
            Map<String, INDArray> file,
            String depth,
            String weight,
            int rank,
            double scaling,
            boolean inFirst) {
        INDArray a = file.get(OWNER + depth + ".lora_A.weight");
        INDArray b = file.get(OWNER + depth + ".lora_B.weight");
        INDArray before =
                ExpertGraph.stacked(DataType.FLOAT).getVariable(weight).getArr();
        INDArray after = model.mergedWeights().get(weight);
        int experts = ExpertGraph.EXPERTS;
        assertThat(a.shape()).containsExactly((long) experts * rank, before.size(inFirst ? 1 : 2));
        assertThat(b.shape()).containsExactly(before.size(inFirst ? 2 : 1), (long) experts * rank);
        for (int e = 0; e < experts; e++) {
            for (int i = 0; i < a.columns(); i++) {
                for (int o = 0; o < b.rows(); o++) {
                    double delta = 0;
                    for (int r = 0; r < rank; r++) {
                        delta += a.getDouble(e * rank + r, i) * b.getDouble(o, r * experts + e);
                    }
                    double changed = inFirst
                            ? after.getDouble(e, i, o) - before.getDouble(e, i, o)
                            : after.getDouble(e, o, i) - before.getDouble(e, o, i);
                    assertThat(changed).isCloseTo(scaling * delta, within(1e-5));
                }
            }
        }
    }

    private ObjectNode config() throws IOException {
        return (ObjectNode) new ObjectMapper()
                .readTree(folder.resolve("adapter_config.json").toFile());
    }

    @Test
    void ends_of_names_in_target_parameters_are_those_of_peft() throws IOException {
        AdaptedModel model = trained(Lora.rank(2).withAlpha(4));
        AdapterFolder.save(model.state(), folder);
        deleteNative();
        ObjectNode config = config();
        config.putArray("target_parameters").add("experts.up").add("experts.down");
        Files.writeString(folder.resolve("adapter_config.json"), config.toString());
        assertThat(output(loaded().graph())
                        .sub(output(model.graph()))
                        .amaxNumber()
                        .doubleValue())
                .isLessThan(1e-4);
    }

    @Test
    void tensors_that_are_no_multiple_of_the_rank_are_refused_with_what_was_expected() throws IOException {
        AdapterFolder.save(trained(Lora.rank(2).withAlpha(4)).state(), folder);
        deleteNative();
        Path file = folder.resolve("adapter_model.safetensors");
        Map<String, INDArray> tensors =
                new LinkedHashMap<>(Safetensors.read(file).tensors());
        tensors.put(OWNER + ".lora_A.weight", ToyGraph.random(new Random(1), DataType.FLOAT, 7, ExpertGraph.HIDDEN));
        new Safetensors(tensors, Safetensors.PYTORCH).write(file);
        assertThatThrownBy(() -> AdapterFolder.load(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("mlp.experts.down")
                .hasMessageContaining("[3 * experts,in]");
    }

    /** PEFT cannot target such a parameter, and says so; what was trained is saved and loaded all the same. */
    @Test
    void experts_that_lie_in_no_module_are_saved_and_loaded_in_both_forms() throws IOException {
        AdaptedModel model = AdaptedModel.inject(
                lonely(), AdapterConfig.of(Lora.rank(1)).withTargets(TargetSelector.suffixes("experts")));
        Random random = new Random(5);
        Map<String, INDArray> values = new LinkedHashMap<>();
        model.trainables()
                .forEach((name, value) -> values.put(name, ToyGraph.random(random, value.dataType(), value.shape())));
        model.restore(values);
        AdapterFolder.save(model.state(), folder);
        for (boolean peft : new boolean[] {false, true}) {
            if (peft) {
                deleteNative();
            }
            AdaptedModel loaded = AdaptedModel.inject(lonely(), Map.of(), AdapterFolder.load(folder));
            assertThat(loaded.sites()).extracting(site -> site.layer().kind()).containsExactly(SiteKind.EXPERTS);
            assertThatBits(loaded.mergedWeights()).isEqualTo(model.mergedWeights());
        }
    }

    private static SameDiff lonely() {
        SameDiff graph = SameDiff.create();
        graph.mmul(
                "y",
                graph.placeHolder("x", DataType.FLOAT, 3, -1, 4),
                graph.var("experts", ToyGraph.random(new Random(1), DataType.FLOAT, 3, 4, 5)));
        return graph;
    }
}
