package dev.samediff.importer.huggingface;

import java.util.List;
import java.util.Set;

/** Models that compute alike, by their {@code model_type}. */
public interface Family {
    /** Returns the {@code model_type}s. */
    Set<String> types();

    /** Returns the {@code architectures} that can be built; the first one is meant where a file names none. */
    List<String> architectures();

    /** Returns what module paths begin with and files of a model without a head may leave out, such as {@code transformer.}. */
    String prefix();

    /** Returns ends of names of stored tensors that are computed here instead. */
    List<String> computed();

    /** Builds the graph: inputs, nodes, outputs. */
    void build(String architecture, ModelConfig config, Weights weights, GraphMessage graph);
}
