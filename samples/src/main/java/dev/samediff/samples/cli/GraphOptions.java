package dev.samediff.samples.cli;

import dev.samediff.importer.ImportOptions;
import dev.samediff.importer.TensorFlowOptions;
import dev.samediff.samples.model.LargeModels;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which part of a TensorFlow graph. */
final class GraphOptions {
    @Option(
            names = "--outputs",
            paramLabel = "NAME",
            split = ",",
            description =
                    "Outputs of a TensorFlow graph, by the signature's keys or by names of nodes. Default: those of"
                            + " the signature, or what no other node reads.")
    List<String> outputs = new ArrayList<>();

    @Option(
            names = "--signature",
            paramLabel = "NAME",
            description = "Signature of a SavedModel. Default: serving_default, or the only one.")
    @Nullable
    String signature;

    @Option(
            names = "--inputs",
            paramLabel = "NAME=TENSOR",
            split = ",",
            description =
                    "Tensors of a TensorFlow graph that are given instead of computed, such as what a data pipeline"
                            + " hands out: input_ids=IteratorGetNext:0, or the tensor alone. Default: its placeholders.")
    List<String> inputs = new ArrayList<>();

    TensorFlowOptions chosen() {
        return new TensorFlowOptions(
                outputs, signature, inputs, ImportOptions.defaults().withWeights(LargeModels.place()));
    }
}
