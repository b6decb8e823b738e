package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.importer.huggingface.HubFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A merged folder is the folder with other numbers, and reads as the merged model. */
class HuggingFaceWriterTest {
    @TempDir
    private Path temporary;

    private static Path folder(String name) {
        return Path.of("src/test/resources/hub").resolve(name);
    }

    private static AdaptedModel adapted(ImportedModel model, TargetSelector targets) {
        AdaptedModel adapted =
                AdaptedModel.inject(model, AdapterConfig.of(Lora.rank(2)).withTargets(targets));
        Map<String, INDArray> values = new LinkedHashMap<>(adapted.trainables());
        values.replaceAll((key, array) ->
                Nd4j.rand(key.hashCode(), array.shape()).subi(0.5).muli(0.4));
        adapted.restore(values);
        return adapted;
    }

    private static Map<String, INDArray> inputs(String name) throws IOException {
        Map<String, INDArray> all = Npz.read(folder(name).resolve("expected.npz"));
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        for (String input : new String[] {"input_ids", "attention_mask", "position_ids"}) {
            inputs.put(input, Npz.get(all, input));
        }
        return inputs;
    }

    private static INDArray logits(ImportedModel model, String name) throws IOException {
        return OnnxVerifier.run(model, inputs(name)).get("logits");
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).collect(Collectors.toSet());
        }
    }

    private static byte[] bytes(HubFolder folder, String tensor) throws IOException {
        HubFolder.StoredTensor stored = folder.tensors().get(tensor);
        byte[] file = Files.readAllBytes(folder.path().resolve(stored.file()));
        int start = Math.toIntExact(stored.tensor().offset());
        return Arrays.copyOfRange(
                file, start, start + Math.toIntExact(stored.tensor().length()));
    }

    private static double number(byte[] bytes, DataType type, int index) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return switch (type) {
            case FLOAT -> buffer.getFloat(4 * index);
            case BFLOAT16 -> Float.intBitsToFloat(buffer.getShort(2 * index) << 16);
            default -> half(buffer.getShort(2 * index));
        };
    }

    /** IEEE 754: sign, 5 bits of exponent, 10 of fraction; finite numbers only. */
    private static double half(short bits) {
        int exponent = bits >> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        double magnitude = exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * Math.pow(2, exponent - 25);
        return bits < 0 ? -magnitude : magnitude;
    }

    /** No number of the type is nearer, and of two as near the one with an even last bit is there. */
    private static void requireNearest(byte[] bytes, DataType type, int index, double wanted) {
        double own = number(bytes, type, index);
        if (type == DataType.FLOAT) {
            assertThat(own).isEqualTo(wanted);
            return;
        }
        short bits = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getShort(2 * index);
        for (int step : new int[] {-1, 1}) {
            if ((bits & 0x7fff) == 0 && step < 0) {
                continue;
            }
            byte[] next = ByteBuffer.allocate(2)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putShort((short) (bits + step))
                    .array();
            double other = number(next, type, 0);
            double off = Math.abs(own - wanted);
            assertThat(off).isLessThanOrEqualTo(Math.abs(other - wanted));
            if (off == Math.abs(other - wanted)) {
                assertThat(bits & 1).isZero();
            }
        }
    }

    static List<String> folders() throws IOException {
        return HuggingFaceImporterTest.folders();
    }

    @ParameterizedTest
    @MethodSource("folders")
    void a_written_folder_has_the_merged_weights_rounded_to_nearest_even_and_all_else_as_it_was(String name)
            throws IOException {
        ImportedModel model = HuggingFaceImporter.load(folder(name));
        AdaptedModel adapted = adapted(model, TargetSelector.allLinear());
        INDArray merged = logits(model, name);
        Path out = temporary.resolve("merged");
        Map<String, INDArray> weights = adapted.mergedWeights();
        assertThat(HuggingFaceWriter.writeMerged(model, weights, out)).isEmpty();
        HubFolder before = HubFolder.read(folder(name));
        HubFolder after = HubFolder.read(out);
        assertThat(after.tensors().keySet()).isEqualTo(before.tensors().keySet());
        int changed = 0;
        for (String tensor : before.tensors().keySet()) {
            if (!Arrays.equals(bytes(before, tensor), bytes(after, tensor))) {
                changed++;
            }
        }
        assertThat(changed).isEqualTo(weights.size());
        for (Map.Entry<String, INDArray> weight : weights.entrySet()) {
            String initializer = model.initializers().get(weight.getKey());
            String tensor = after.tensors().keySet().stream()
                    .filter(each -> initializer.endsWith(each))
                    .findFirst()
                    .orElseThrow();
            byte[] stored = bytes(after, tensor);
            float[] wanted = weight.getValue().dup('c').data().asFloat();
            for (int i = 0; i < wanted.length; i++) {
                requireNearest(stored, after.tensors().get(tensor).tensor().type(), i, wanted[i]);
            }
        }
        INDArray written = logits(HuggingFaceImporter.load(out), name);
        if (before.tensors().values().iterator().next().tensor().type() == DataType.FLOAT) {
            INDArray mask = Npz.get(Npz.read(folder(name).resolve("expected.npz")), "attention_mask");
            for (int row = 0; row < mask.rows(); row++) {
                for (int at = 0; at < mask.columns(); at++) {
                    if (mask.getInt(row, at) == 1) {
                        INDArray own = written.slice(row).slice(at);
                        assertThat(own.sub(merged.slice(row).slice(at))
                                        .amaxNumber()
                                        .doubleValue())
                                .isLessThan(1e-5);
                    }
                }
            }
        }
    }

    @Test
    void a_model_is_not_written_over_itself_nor_an_adapter_over_a_model() throws IOException {
        ImportedModel source = HuggingFaceImporter.load(folder("qwen3"));
        Path first = temporary.resolve("first");
        HuggingFaceWriter.writeMerged(
                source, adapted(source, TargetSelector.suffixes("q_proj")).mergedWeights(), first);
        ImportedModel model = HuggingFaceImporter.load(first);
        AdaptedModel adapted = adapted(model, TargetSelector.suffixes("q_proj"));
        Path link = Files.createSymbolicLink(temporary.resolve("link"), first);
        for (Path target : List.of(first, link)) {
            assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), target))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("is the model itself");
        }
        assertThatThrownBy(() -> AdapterFolder.save(adapted.state(), first))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("holds a model");
        Path adapter = temporary.resolve("adapter");
        AdapterFolder.save(adapted.state(), adapter);
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), adapter))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("an adapter or a checkpoint");
        assertThat(AdapterFolder.load(adapter).sites()).hasSize(2);
        assertThat(HuggingFaceImporter.load(first).linearLayers()).isNotEmpty();
    }

    @Test
    void numbers_that_become_infinite_in_the_files_type_are_refused() throws IOException {
        for (String name : List.of("llama", "mistral")) { // bfloat16, float16
            ImportedModel model = HuggingFaceImporter.load(folder(name));
            Map<String, INDArray> weights = new LinkedHashMap<>(
                    adapted(model, TargetSelector.suffixes("q_proj")).mergedWeights());
            INDArray one = weights.values().iterator().next();
            double most = name.equals("llama") ? 3.389e38 : 65519;
            one.putScalar(0, most);
            HuggingFaceWriter.writeMerged(model, weights, temporary.resolve(name));
            one.putScalar(0, name.equals("llama") ? 3.4e38 : 65520);
            assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(model, weights, temporary.resolve(name)))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("FLOAT16, the type of its tensor");
        }
    }

    @Test
    void names_types_shards_and_bytes_of_what_was_not_adapted_stay() throws IOException {
        Path source = temporary.resolve("source");
        Files.createDirectory(source);
        for (String file : names(folder("llama3-shards"))) {
            Files.copy(folder("llama3-shards").resolve(file), source.resolve(file));
        }
        Files.writeString(source.resolve("tokenizer.json"), "{\"model\": {}}");
        Files.writeString(source.resolve("generation_config.json"), "{}");
        Files.write(source.resolve("pytorch_model.bin"), new byte[10]);
        ImportedModel model = HuggingFaceImporter.load(source);
        AdaptedModel adapted = adapted(model, TargetSelector.suffixes("q_proj"));
        Path out = temporary.resolve("merged");
        HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), out);
        assertThat(names(out))
                .containsAll(names(folder("llama3-shards")).stream()
                        .filter(file -> file.endsWith(".json") || file.endsWith(".safetensors"))
                        .toList())
                .contains("tokenizer.json", "generation_config.json")
                .doesNotContain("pytorch_model.bin");
        HubFolder before = HubFolder.read(source);
        HubFolder after = HubFolder.read(out);
        assertThat(after.tensors().keySet()).isEqualTo(before.tensors().keySet());
        for (String tensor : before.tensors().keySet()) {
            if (tensor.contains("q_proj.weight")) {
                assertThat(bytes(after, tensor)).as(tensor).isNotEqualTo(bytes(before, tensor));
            } else {
                assertThat(bytes(after, tensor)).as(tensor).isEqualTo(bytes(before, tensor));
            }
        }
        assertThat(Files.readAllBytes(out.resolve("config.json")))
                .isEqualTo(Files.readAllBytes(source.resolve("config.json")));
    }

    @Test
    void what_has_no_place_in_the_folder_is_refused_and_nothing_is_written() throws IOException {
        Path out = temporary.resolve("merged");
        ImportedModel tied = HuggingFaceImporter.load(folder("qwen2"));
        AdaptedModel head = adapted(tied, TargetSelector.suffixes("lm_head"));
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(tied, head.mergedWeights(), out))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("tie_word_embeddings");
        ImportedModel old = HuggingFaceImporter.load(folder("gpt2"));
        AdaptedModel table = adapted(old, TargetSelector.suffixes("wte"));
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(old, table.mergedWeights(), out))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("tie_word_embeddings");
        ImportedModel half = HuggingFaceImporter.load(folder("mistral"));
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(half, Map.of("nobody", Nd4j.ones(2, 2)), out))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("nobody");
        assertThat(out).doesNotExist();
        ImportedModel onnx = OnnxImporter.load(new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .node("Relu", "x", "y")
                .output("y", DataType.FLOAT, -1, 4)
                .write(temporary));
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(onnx, Map.of(), out))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("write it as ONNX");
    }

    @Test
    void a_foreign_folder_is_not_replaced_and_an_own_one_is() throws IOException {
        ImportedModel model = HuggingFaceImporter.load(folder("qwen3"));
        AdaptedModel adapted = adapted(model, TargetSelector.suffixes("q_proj"));
        Path foreign = Files.createDirectory(temporary.resolve("foreign"));
        Files.writeString(foreign.resolve("thesis.txt"), "years of work");
        assertThatThrownBy(() -> HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), foreign))
                .isInstanceOf(InvalidInputException.class);
        assertThat(foreign.resolve("thesis.txt")).hasContent("years of work");
        Path out = temporary.resolve("merged");
        HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), out);
        HuggingFaceWriter.writeMerged(model, adapted.mergedWeights(), out);
        assertThat(HuggingFaceImporter.load(out).linearLayers()).isNotEmpty();
    }
}
