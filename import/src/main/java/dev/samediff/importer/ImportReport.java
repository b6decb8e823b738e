package dev.samediff.importer;

import dev.samediff.importer.lowering.Refusals;
import dev.samediff.importer.naming.NotAdapted;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What an ONNX file holds and what the importer made, or would make, of it.
 *
 * @param source the file
 * @param producer who wrote it
 * @param opset version of ONNX's operator set
 * @param nodeCount number of nodes in the file
 * @param operators how often each operator occurs
 * @param unsupported names of the nodes that cannot be imported, by operator
 * @param inputs inputs
 * @param outputs outputs
 * @param linearLayers linear layers in the order of the graph
 * @param experts linear layers for each of several experts in one tensor, in the order of the graph
 * @param embeddings embedding tables in the order of the graph
 * @param notAdapted weights that multiply activations and that no adapter can be put on, with the reason
 * @param notes what was rewritten or is worth knowing
 * @param reasons why operators among the unsupported ones are refused, where that depends on how they are used
 */
public record ImportReport(
        Path source,
        String producer,
        int opset,
        int nodeCount,
        Map<String, Integer> operators,
        Map<String, List<String>> unsupported,
        List<TensorSpec> inputs,
        List<TensorSpec> outputs,
        List<LinearLayer> linearLayers,
        List<LinearLayer> experts,
        List<EmbeddingTable> embeddings,
        List<NotAdapted> notAdapted,
        List<String> notes,
        Map<String, String> reasons) {
    private static final int NAMED_NODES = 5;

    /** Copies the collections. */
    public ImportReport {
        operators = Map.copyOf(operators);
        unsupported = Map.copyOf(unsupported);
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        linearLayers = List.copyOf(linearLayers);
        experts = List.copyOf(experts);
        embeddings = List.copyOf(embeddings);
        notAdapted = List.copyOf(notAdapted);
        notes = List.copyOf(notes);
        reasons = Map.copyOf(reasons);
    }

    /** Returns why an unsupported operator is refused. */
    public String reason(String operator) {
        return reasons.getOrDefault(operator, Refusals.reason(operator));
    }

    /** Tells whether every operator can be imported, as far as can be told without the numbers of weights. */
    public boolean isSupported() {
        return unsupported.isEmpty();
    }

    /** Returns the unsupported operators with the names of some of their nodes, for a message. */
    public String unsupportedText() {
        StringBuilder text = new StringBuilder();
        unsupported.keySet().stream().sorted().forEach(operator -> {
            List<String> nodes = unsupported.get(operator);
            if (nodes == null) {
                return;
            }
            text.append(text.isEmpty() ? "" : "; ")
                    .append(operator)
                    .append(" (")
                    .append(nodes.size())
                    .append("x: ");
            text.append(String.join(", ", nodes.subList(0, Math.min(NAMED_NODES, nodes.size()))));
            text.append(nodes.size() > NAMED_NODES ? ", ...): " : "): ").append(reason(operator));
        });
        return text.toString();
    }

    /**
     * Returns the report as one line of JSON. Its keys: schema (a number that rises when a key changes its meaning or
     * goes), file, producer, opset, nodes, importable, inputs, outputs, linear_layers, linear_weights, expert_layers, embedding_tables,
     * not_adapted, operators, unsupported, notes. Equal files give equal texts.
     */
    public String json() {
        return ImportReportJson.of(this);
    }

    /** Returns the report as text of several lines. */
    public String text() {
        StringBuilder text = new StringBuilder();
        text.append(source).append('\n');
        text.append("producer   ")
                .append(producer.isEmpty() ? "unknown" : producer)
                .append(", opset ")
                .append(opset);
        text.append(", ").append(nodeCount).append(" nodes\n");
        inputs.forEach(input -> text.append("input      ").append(line(input)));
        outputs.forEach(output -> text.append("output     ").append(line(output)));
        text.append("operators  ");
        operators.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(entry -> text.append(entry.getKey())
                        .append(' ')
                        .append(entry.getValue())
                        .append(", "));
        text.setLength(text.length() - 2);
        text.append('\n');
        linearLayers.forEach(layer -> text.append("linear     ").append(line(layer)));
        experts.forEach(layer -> text.append("experts    ").append(line(layer)));
        notAdapted.forEach(weight -> text.append("not adapted ").append(line(weight)));
        notes.forEach(note -> text.append("note       ").append(note).append('\n'));
        if (!isSupported()) {
            text.append("unsupported ").append(unsupportedText()).append('\n');
        }
        return text.toString();
    }

    private static String line(TensorSpec tensor) {
        return tensor.name() + " " + tensor.type() + " [" + String.join(", ", tensor.dims()) + "]\n";
    }

    private static String line(LinearLayer layer) {
        return layer.module() + " " + (layer.experts() == 1 ? "" : layer.experts() + " x ") + layer.in() + " -> "
                + layer.out()
                + (layer.bias().isPresent() ? " + bias" : "") + ", stored " + layer.orientation() + " as '"
                + layer.initializer() + "'\n";
    }

    private static String line(NotAdapted weight) {
        return weight.module() + " " + weight.shape() + ": " + weight.reason() + "\n";
    }

    @Override
    public String toString() {
        return text();
    }
}
