package dev.samediff.adapters.serving;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.compiled.DecodingSession;
import dev.samediff.adapters.engine.compiled.SharedCopies;
import dev.samediff.adapters.graph.GraphEditor;
import org.nd4j.autodiff.samediff.SameDiff;

/** A graph of its own with an engine, for one request at a time, on the arrays that all workers read. */
final class Worker implements AutoCloseable {
    private final SameDiff graph;
    private final GraphEditor editor;
    private final EngineOptions options;
    private final SharedCopies copies;
    private final Engine engine;
    private ServedAdapter loaded = ServedAdapter.NONE;

    Worker(SameDiff graph, EngineOptions options, SharedCopies copies) {
        this.graph = graph;
        this.editor = new GraphEditor(graph);
        this.options = options;
        this.copies = copies;
        this.engine = options.kind() == EngineOptions.Kind.COMPILED
                ? CompiledEngine.sharing(graph, options, copies)
                : Engines.forOutputs(graph, options);
    }

    /** Lets the graph read an adapter's numbers; nothing is copied. */
    void load(ServedAdapter adapter) {
        if (loaded != adapter) {
            adapter.arrays().forEach(editor::replaceArray);
            loaded = adapter;
        }
    }

    /** Tells whether the graph reads an adapter's numbers. */
    boolean isLoaded(ServedAdapter adapter) {
        return loaded == adapter;
    }

    SameDiff graph() {
        return graph;
    }

    Engine engine() {
        return engine;
    }

    /** Opens a decoder of this worker's graph, to be closed before the worker is given back. */
    DecodingSession decoder(String ids, String logits) {
        return DecodingSession.sharing(graph, ids, logits, options, copies);
    }

    @Override
    public void close() {
        engine.close();
    }
}
