package dev.samediff.adapters.io;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.ToyGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Folders of adapters with embeddings, in PEFT's names. */
class EmbeddingFolderTest {
    private static final String WTE = "base_model.model." + EmbeddingGraph.TOKENS;

    @TempDir
    Path folder;

    static List<AdapterMethod> methods() {
        return List.of(Lora.rank(2).withAlpha(4), Pissa.rank(2).withAlpha(4), Sorsa.rank(2));
    }

    private static AdaptedModel trained(SameDiff graph, AdapterMethod method) {
        AdaptedModel model =
                AdaptedModel.inject(graph, AdapterConfig.of(method).withTargets(TargetSelector.suffixes("wte", "mlp")));
        Random random = new Random(5);
        Map<String, INDArray> values = new LinkedHashMap<>();
        model.trainables()
                .forEach((name, value) ->
                        values.put(name, value.add(ToyGraph.random(random, value.dataType(), value.shape()))));
        model.restore(values);
        return model;
    }

    private static INDArray logits(SameDiff graph) {
        return graph.output(EmbeddingGraph.feeds(DataType.FLOAT), "logits")
                .get("logits")
                .dup();
    }

    private Map<String, INDArray> tensors() throws IOException {
        return Safetensors.read(folder.resolve("adapter_model.safetensors")).tensors();
    }

    private void write(Map<String, INDArray> tensors) throws IOException {
        new Safetensors(tensors, Safetensors.PYTORCH).write(folder.resolve("adapter_model.safetensors"));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void saved_and_loaded_it_computes_the_same(AdapterMethod method) throws IOException {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel model = trained(graph, method);
        AdapterFolder.save(model.state(), folder);
        AdapterState loaded = AdapterFolder.load(folder);
        assertThat(loaded.sites())
                .extracting(AdapterState.Site::kind)
                .containsExactly(SiteKind.LINEAR, SiteKind.EMBEDDING);
        SameDiff other = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel.inject(other, Map.of(), loaded);
        assertThatBits(logits(other)).isEqualTo(logits(graph));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void as_peft_reads_it_it_is_the_same_change_of_the_base(AdapterMethod method) throws IOException {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        AdapterFolder.saveAsLora(trained(graph, method).state(), folder);
        SameDiff other = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel.inject(other, Map.of(), AdapterFolder.load(folder));
        assertThat(logits(other).sub(logits(graph)).amaxNumber().doubleValue()).isLessThan(2e-5);
    }

    @Test
    void names_and_shapes_are_those_of_peft() throws IOException {
        AdaptedModel model =
                trained(EmbeddingGraph.create(DataType.FLOAT), Lora.rank(2).withAlpha(4));
        AdapterFolder.saveAsLora(model.state(), folder);
        Map<String, INDArray> tensors = tensors();
        assertThat(tensors)
                .containsOnlyKeys(
                        WTE + ".lora_embedding_A",
                        WTE + ".lora_embedding_B",
                        "base_model.model." + EmbeddingGraph.LINEAR + ".lora_A.weight",
                        "base_model.model." + EmbeddingGraph.LINEAR + ".lora_B.weight");
        INDArray a = model.trainables().get(EmbeddingGraph.TOKENS + ".lora_embedding_A.default");
        INDArray b = model.trainables().get(EmbeddingGraph.TOKENS + ".lora_embedding_B.default");
        assertThatBits(tensors.get(WTE + ".lora_embedding_A"))
                .isEqualTo(Objects.requireNonNull(a).transpose().dup('c'));
        assertThatBits(tensors.get(WTE + ".lora_embedding_B"))
                .isEqualTo(Objects.requireNonNull(b).transpose().dup('c'));
        assertThat(Objects.requireNonNull(tensors.get(WTE + ".lora_embedding_A"))
                        .shape())
                .containsExactly(2, EmbeddingGraph.VOCABULARY);
        assertThat(Files.readString(folder.resolve("adapter_config.json")))
                .contains("\"" + EmbeddingGraph.TOKENS + "\"");
    }

    @Test
    void the_table_that_peft_saves_along_tells_whether_the_base_fits() throws IOException {
        SameDiff graph = EmbeddingGraph.create(DataType.FLOAT);
        INDArray table =
                graph.getVariable(EmbeddingGraph.TOKENS + ".weight").getArr().dup();
        AdaptedModel model = trained(graph, Lora.rank(2));
        AdapterFolder.saveAsLora(model.state(), folder);
        Map<String, INDArray> tensors = new LinkedHashMap<>(tensors());
        tensors.put(WTE + ".base_layer.weight", table);
        write(tensors);
        SameDiff other = EmbeddingGraph.create(DataType.FLOAT);
        AdaptedModel.inject(other, Map.of(), AdapterFolder.load(folder));
        assertThatBits(logits(other)).isEqualTo(logits(graph));

        tensors.put(WTE + ".base_layer.weight", table.add(1));
        write(tensors);
        AdapterState foreign = AdapterFolder.load(folder);
        assertThatThrownBy(() -> AdaptedModel.inject(EmbeddingGraph.create(DataType.FLOAT), Map.of(), foreign))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("another base model")
                .hasMessageContaining(EmbeddingGraph.TOKENS);
    }

    @Test
    void half_an_embedding_and_the_table_of_an_unadapted_one_are_refused() throws IOException {
        AdapterFolder.saveAsLora(
                trained(EmbeddingGraph.create(DataType.FLOAT), Lora.rank(2)).state(), folder);
        Map<String, INDArray> whole = tensors();
        Map<String, INDArray> half = new LinkedHashMap<>(whole);
        half.remove(WTE + ".lora_embedding_A");
        write(half);
        assertThatThrownBy(() -> AdapterFolder.load(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("only one of lora_embedding_A and lora_embedding_B");

        Map<String, INDArray> foreign = new LinkedHashMap<>(whole);
        foreign.put("base_model.model.transformer.wpe.base_layer.weight", Nd4j.ones(2, 2));
        write(foreign);
        assertThatThrownBy(() -> AdapterFolder.load(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("transformer.wpe.base_layer.weight");
    }
}
