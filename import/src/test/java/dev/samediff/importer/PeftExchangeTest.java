package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Folders that PEFT's own code wrote, on models in ONNX: the outputs are PEFT's, also after saving again. */
class PeftExchangeTest {
    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> folders() throws IOException {
        Path root = SharedFiles.require("golden/methods/exchange");
        JsonNode cases =
                new ObjectMapper().readTree(root.resolve("index.json").toFile()).get("cases");
        return StreamSupport.stream(cases.spliterator(), false)
                .map(index -> DynamicTest.dynamicTest(index.get("id").asText(), () -> check(root, index)));
    }

    private void check(Path root, JsonNode index) throws IOException {
        String id = index.get("id").asText();
        String model = index.get("model").asText();
        AdapterState state = AdapterFolder.load(root.resolve(id));
        INDArray actual = output(root, index, state);
        INDArray expected = Npz.read(root.resolve(id).resolve("expected.npz")).get("out");
        double tolerance = index.get("tolerance").asDouble();
        assertThat(distance(actual, expected)).as("%s on %s", id, model).isLessThan(tolerance);
        AdapterFolder.save(state, folder.resolve(id));
        assertThat(distance(output(root, index, AdapterFolder.load(folder.resolve(id))), expected))
                .isLessThan(tolerance);
        AdapterFolder.saveAsLora(state, folder.resolve(id + "-plain"));
        assertThat(distance(output(root, index, AdapterFolder.load(folder.resolve(id + "-plain"))), expected))
                .isLessThan(tolerance);
    }

    private static double distance(INDArray actual, INDArray expected) {
        return actual.castTo(DataType.DOUBLE)
                .sub(expected.castTo(DataType.DOUBLE))
                .amaxNumber()
                .doubleValue();
    }

    private static INDArray output(Path root, JsonNode index, AdapterState state) throws IOException {
        Path file = root.resolve(index.get("model").asText());
        ImportedModel model = OnnxImporter.load(file);
        AdaptedModel.inject(model.graph(), model.modulePaths(), state);
        INDArray x = Npz.read(file.resolveSibling(file.getFileName().toString().replace(".onnx", ".npz")))
                .get("x");
        String input = index.get("input").asText();
        String output = index.get("output").asText();
        DataType type = model.graph().getVariable(input).dataType();
        return model.graph().output(Map.of(input, x.castTo(type)), output).get(output);
    }
}
