package dev.samediff.adapters.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Expected numbers that scripts in src/test/python wrote as nested lists. */
public final class JsonArrays {
    private JsonArrays() {}

    /** Returns the elements of the list in a resource such as {@code /train/whole.json}. */
    public static List<JsonNode> list(String resource) {
        JsonNode cases = tree(resource);
        return IntStream.range(0, cases.size()).mapToObj(cases::get).toList();
    }

    /** Returns a resource. */
    public static JsonNode tree(String resource) {
        try (InputStream file = Objects.requireNonNull(JsonArrays.class.getResourceAsStream(resource), resource)) {
            return new ObjectMapper().readTree(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns nested lists of numbers as an array of type FLOAT. */
    public static INDArray array(JsonNode json) {
        long[] shape = new long[4];
        int rank = 0;
        for (JsonNode node = json; node.isArray(); node = node.get(0)) {
            shape[rank++] = node.size();
        }
        List<JsonNode> numbers = new ArrayList<>();
        flatten(json, numbers);
        float[] values = new float[numbers.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) numbers.get(i).asDouble();
        }
        return Nd4j.createFromArray(values).reshape(Arrays.copyOf(shape, rank)).dup('c');
    }

    /** Returns a list of whole numbers. */
    public static int[] ints(JsonNode json) {
        return IntStream.range(0, json.size()).map(i -> json.get(i).asInt()).toArray();
    }

    private static void flatten(JsonNode node, List<JsonNode> numbers) {
        if (node.isArray()) {
            node.forEach(each -> flatten(each, numbers));
        } else {
            numbers.add(node);
        }
    }
}
