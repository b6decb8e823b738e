package dev.samediff.importer.random;

import dev.samediff.importer.TinyModel;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A graph with what to feed it at two sizes of its open axes.
 *
 * @param opset version of the operator set
 * @param inputs names of the inputs
 * @param nodes the nodes, in order
 * @param stored initializers
 * @param outputs names of the outputs
 * @param values every value that is no initializer, by name
 * @param feeds the inputs' numbers at each size
 */
public record RandomGraph(
        int opset,
        List<String> inputs,
        List<Node> nodes,
        Map<String, HostTensor> stored,
        List<String> outputs,
        Map<String, Made> values,
        List<Map<String, INDArray>> feeds) {
    /** A node: attributes are names and values in turn. */
    public record Node(String operator, List<String> inputs, List<String> outputs, List<Object> attributes) {
        @Override
        public String toString() {
            StringBuilder text = new StringBuilder(String.join(", ", outputs))
                    .append(" = ")
                    .append(operator)
                    .append('(')
                    .append(String.join(", ", inputs))
                    .append(')');
            for (int i = 0; i < attributes.size(); i += 2) {
                Object value = attributes.get(i + 1);
                text.append(' ').append(attributes.get(i)).append('=');
                text.append(value instanceof long[] numbers ? Arrays.toString(numbers) : value);
            }
            return text.toString();
        }
    }

    /** Returns the model; a node's input "" is absent. */
    public TinyModel model() {
        TinyModel model = new TinyModel(opset);
        inputs.forEach(name -> model.input(name, values.get(name).type(), declared(values.get(name))));
        stored.forEach(model::initializer);
        for (Node node : nodes) {
            model.node(
                    node.operator(),
                    String.join(" ", node.inputs()),
                    String.join(" ", node.outputs()),
                    node.attributes().toArray());
        }
        outputs.forEach(name -> model.output(name, values.get(name).type(), declared(values.get(name))));
        return model;
    }

    /** Sizes as {@link TinyModel} takes them: equal pairs of sizes are one symbol. */
    private static long[] declared(Made value) {
        long[] dims = value.shapes()[0].clone();
        for (int axis = 0; axis < dims.length; axis++) {
            if (value.isOpen(axis)) {
                dims[axis] = -(100 * value.shapes()[0][axis] + value.shapes()[1][axis]);
            }
        }
        return dims;
    }

    /** Returns this graph with other outputs, without the nodes, inputs and initializers they do not need. */
    RandomGraph withOutputs(List<String> wanted) {
        return with(inputs, nodes, wanted, feeds);
    }

    /** Returns this graph with the outputs of a node as inputs. */
    RandomGraph cut(Node node, List<Map<String, INDArray>> numbers) {
        List<Node> left = new ArrayList<>(nodes);
        left.remove(node);
        Set<String> given = new LinkedHashSet<>(inputs);
        given.addAll(node.outputs());
        List<Map<String, INDArray>> fed = new ArrayList<>();
        for (int sample = 0; sample < feeds.size(); sample++) {
            Map<String, INDArray> all = new LinkedHashMap<>(feeds.get(sample));
            for (String output : node.outputs()) {
                all.put(output, numbers.get(sample).get(output));
            }
            fed.add(all);
        }
        return with(List.copyOf(given), left, outputs, fed);
    }

    private RandomGraph with(
            List<String> given, List<Node> all, List<String> wanted, List<Map<String, INDArray>> numbers) {
        Set<String> needed = new LinkedHashSet<>(wanted);
        List<Node> kept = new ArrayList<>();
        for (int i = all.size() - 1; i >= 0; i--) {
            Node node = all.get(i);
            if (node.outputs().stream().anyMatch(needed::contains)) {
                needed.addAll(node.inputs());
                kept.add(0, node);
            }
        }
        Map<String, HostTensor> tensors = new LinkedHashMap<>(stored);
        tensors.keySet().retainAll(needed);
        List<String> read = given.stream().filter(needed::contains).toList();
        List<Map<String, INDArray>> fed = new ArrayList<>();
        for (Map<String, INDArray> each : numbers) {
            Map<String, INDArray> left = new LinkedHashMap<>(each);
            left.keySet().retainAll(needed);
            fed.add(left);
        }
        return new RandomGraph(opset, read, kept, tensors, wanted, values, fed);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("opset " + opset + "\n");
        inputs.forEach(name -> text.append("input ").append(described(name)).append('\n'));
        stored.forEach((name, tensor) ->
                text.append("stored ").append(name).append(' ').append(tensor).append('\n'));
        for (Node node : nodes) {
            text.append(node).append("   # ");
            node.outputs().forEach(name -> text.append(described(name)).append(' '));
            text.append('\n');
        }
        return text.append("outputs ").append(outputs).toString();
    }

    private String described(String name) {
        Made value = values.get(name);
        return name + " " + value.type() + Arrays.toString(value.shapes()[0]) + Arrays.toString(value.shapes()[1]);
    }
}
