package dev.samediff.samples.cli;

import dev.samediff.importer.ImportReport;
import dev.samediff.importer.LinearLayer;
import dev.samediff.importer.ModelImporter;
import dev.samediff.importer.TensorSpec;
import dev.samediff.importer.naming.NotAdapted;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code inspect}: what is in a model. */
@CommandLine.Command(
        name = "inspect",
        description =
                "Shows inputs, outputs, operators and the linear layers that adapters can go on. Ends with 1 if the"
                        + " file cannot be imported.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example:", "  samples/run inspect model.onnx --json"})
final class InspectCommand extends Command {
    @Parameters(
            paramLabel = "MODEL",
            description = "An ONNX file, a Hugging Face folder, or a TensorFlow graph: .pb, .pbtxt, SavedModel folder.")
    Path model = Path.of("");

    @Mixin
    GraphOptions graph = new GraphOptions();

    @Override
    int run() {
        ImportReport report = ModelImporter.inspect(model, graph.chosen());
        out().println(describe(report));
        if (json) {
            out().println(report.json());
        }
        if (!report.isSupported()) {
            say("error: " + model + " cannot be imported, these operators are not supported: "
                    + report.unsupportedText());
            return Failure.WORK_FAILED;
        }
        return 0;
    }

    static String describe(ImportReport report) {
        return report.source() + "\n"
                + (report.producer().isEmpty() ? "unknown producer" : report.producer()) + ", opset " + report.opset()
                + ", " + Numbers.count(report.nodeCount()) + " nodes\n\n"
                + tensors("input", report.inputs()) + "\n\n"
                + tensors("output", report.outputs()) + "\n\n"
                + layers(report.linearLayers(), !report.experts().isEmpty()) + experts(report.experts())
                + notAdapted(report.notAdapted()) + "\n\n"
                + "operators: " + histogram(report.operators())
                + notes(report.notes());
    }

    private static String tensors(String heading, List<TensorSpec> tensors) {
        TextTable table = new TextTable(heading, "type", "shape");
        tensors.forEach(
                tensor -> table.row(tensor.name(), typeName(tensor), "[" + String.join(", ", tensor.dims()) + "]"));
        return table.render();
    }

    private static String layers(List<LinearLayer> layers, boolean hasExperts) {
        if (layers.isEmpty()) {
            return hasExperts
                    ? "no linear layers but those of experts"
                    : "no linear layers: there is nothing an adapter could go on";
        }
        TextTable table = new TextTable("linear layer", "in", "out", "weights", "bias", "stored");
        layers.forEach(layer -> table.row(
                layer.module(),
                Integer.toString(layer.in()),
                Integer.toString(layer.out()),
                Numbers.count(layer.weights()),
                layer.bias().isPresent() ? "yes" : "no",
                layer.orientation().name().toLowerCase(Locale.ROOT).replace('_', ',')));
        long sum = layers.stream().mapToLong(LinearLayer::weights).sum();
        return table.render() + "\n" + layers.size() + " linear layers, " + Numbers.count(sum) + " weights";
    }

    private static String experts(List<LinearLayer> layers) {
        if (layers.isEmpty()) {
            return "";
        }
        TextTable table = new TextTable("experts", "number", "in", "out", "weights", "stored");
        layers.forEach(layer -> table.row(
                layer.module(),
                Integer.toString(layer.experts()),
                Integer.toString(layer.in()),
                Integer.toString(layer.out()),
                Numbers.count(layer.weights()),
                layer.orientation().name().toLowerCase(Locale.ROOT).replace('_', ',')));
        return "\n\n" + table.render() + "\nadapted if a target names them";
    }

    private static String notAdapted(List<NotAdapted> weights) {
        return weights.isEmpty()
                ? ""
                : "\n\nNot adapted\n- "
                        + weights.stream()
                                .map(weight ->
                                        (weight.module() + " " + weight.shape()).strip() + ": " + weight.reason())
                                .collect(Collectors.joining("\n- "));
    }

    private static String histogram(Map<String, Integer> operators) {
        return operators.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue()
                        .reversed()
                        .thenComparing(Map.Entry.comparingByKey()))
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
    }

    private static String notes(List<String> notes) {
        return notes.isEmpty() ? "" : "\n\nNotes\n- " + String.join("\n- ", notes);
    }

    private static String typeName(TensorSpec tensor) {
        return tensor.type().name().toLowerCase(Locale.ROOT);
    }
}
