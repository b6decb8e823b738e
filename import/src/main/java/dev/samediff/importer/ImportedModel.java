package dev.samediff.importer;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * A transformer as a plain SameDiff graph, with what is known about it from its ONNX file.
 *
 * <p>Linear weights and biases and the vectors of normalisation layers are VARIABLEs, so the graph can be trained as it
 * is. Embedding tables and all other stored numbers are CONSTANTs.
 */
public final class ImportedModel {
    private final SameDiff graph;
    private final ImportReport report;
    private final Map<String, String> aliases;
    private final Map<String, String> initializers;

    ImportedModel(SameDiff graph, ImportReport report, Map<String, String> aliases, Map<String, String> initializers) {
        this.graph = graph;
        this.report = report;
        this.aliases = Map.copyOf(aliases);
        this.initializers = Map.copyOf(initializers);
    }

    /** Returns the graph: the same object at every call. */
    public SameDiff graph() {
        return graph;
    }

    /** Returns the inputs in the order of the file. */
    public List<TensorSpec> inputs() {
        return report.inputs();
    }

    /** Returns the outputs in the order of the file. */
    public List<TensorSpec> outputs() {
        return report.outputs();
    }

    /** Returns the linear layers in the order of the graph; a weight used several times is one layer. */
    public List<LinearLayer> linearLayers() {
        return report.linearLayers();
    }

    /** Returns the embedding tables in the order of the graph; a table looked up several times is one. */
    public List<EmbeddingTable> embeddings() {
        return report.embeddings();
    }

    /**
     * Returns the module path by weight variable of all linear layers. Embedding tables need no entry: their variables are
     * named {@code <module path>.weight}.
     */
    public Map<String, String> modulePaths() {
        Map<String, String> paths = new LinkedHashMap<>();
        linearLayers().forEach(layer -> paths.put(layer.weight(), layer.module()));
        return paths;
    }

    /** Returns the names of the graph's variables by the names that the values have in the file. */
    public Map<String, String> aliases() {
        return aliases;
    }

    /**
     * Returns the name in the file (an initializer or the output of a Constant node) by variable, of every weight, bias,
     * normalisation vector and embedding table of the graph. Each has the shape and the orientation that it has in the
     * file: the importer never transposes what is stored.
     */
    public Map<String, String> initializers() {
        return initializers;
    }

    /** Returns what the file holds and what was made of it. */
    public ImportReport report() {
        return report;
    }

    /** Returns the ONNX file. */
    public Path source() {
        return report.source();
    }
}
