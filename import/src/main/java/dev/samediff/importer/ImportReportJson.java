package dev.samediff.importer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.TreeMap;

/** An {@link ImportReport} as JSON: keys in a fixed order, so that equal files give equal texts. */
final class ImportReportJson {
    /** Rises when a key changes its meaning or goes; new keys do not count. */
    static final int SCHEMA = 1;

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ImportReportJson() {}

    static String of(ImportReport report) {
        return tree(report).toString();
    }

    private static ObjectNode tree(ImportReport report) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("schema", SCHEMA);
        root.put("file", report.source().toString());
        root.put("producer", report.producer());
        root.put("opset", report.opset());
        root.put("nodes", report.nodeCount());
        root.put("importable", report.isSupported());
        ArrayNode inputs = root.putArray("inputs");
        report.inputs().forEach(input -> tensor(inputs.addObject(), input));
        ArrayNode outputs = root.putArray("outputs");
        report.outputs().forEach(output -> tensor(outputs.addObject(), output));
        ArrayNode linear = root.putArray("linear_layers");
        report.linearLayers().forEach(layer -> layer(linear.addObject(), layer));
        root.put(
                "linear_weights",
                report.linearLayers().stream().mapToLong(LinearLayer::weights).sum());
        ArrayNode experts = root.putArray("expert_layers");
        report.experts().forEach(layer -> layer(experts.addObject().put("experts", layer.experts()), layer));
        ArrayNode tables = root.putArray("embedding_tables");
        report.embeddings()
                .forEach(table -> tables.addObject()
                        .put("module", table.module())
                        .put("weight", table.weight())
                        .put("rows", table.rows())
                        .put("columns", table.columns())
                        .put("initializer", table.initializer())
                        .put("node", table.node()));
        ArrayNode notAdapted = root.putArray("not_adapted");
        report.notAdapted()
                .forEach(weight -> notAdapted
                        .addObject()
                        .put("module", weight.module())
                        .put("tensor", weight.tensor())
                        .put("shape", weight.shape())
                        .put("reason", weight.reason()));
        ObjectNode operators = root.putObject("operators");
        new TreeMap<>(report.operators()).forEach(operators::put);
        unsupported(root.putArray("unsupported"), report);
        ArrayNode notes = root.putArray("notes");
        report.notes().forEach(notes::add);
        return root;
    }

    private static void tensor(ObjectNode node, TensorSpec tensor) {
        node.put("name", tensor.name());
        node.put("variable", tensor.variable());
        node.put("type", tensor.type().name().toLowerCase(Locale.ROOT));
        ArrayNode shape = node.putArray("shape");
        tensor.dims().forEach(shape::add);
        tensor.bound().ifPresent(bound -> node.put("below", bound));
    }

    private static void layer(ObjectNode node, LinearLayer layer) {
        node.put("module", layer.module())
                .put("in", layer.in())
                .put("out", layer.out())
                .put("bias", layer.bias().isPresent())
                .put("stored", layer.orientation().name().toLowerCase(Locale.ROOT))
                .put("weight", layer.weight())
                .put("initializer", layer.initializer())
                .put("node", layer.node());
    }

    private static void unsupported(ArrayNode all, ImportReport report) {
        new TreeMap<>(report.unsupported()).forEach((operator, names) -> {
            ObjectNode one = all.addObject().put("operator", operator).put("reason", report.reason(operator));
            ArrayNode nodes = one.putArray("nodes");
            names.forEach(nodes::add);
        });
    }
}
