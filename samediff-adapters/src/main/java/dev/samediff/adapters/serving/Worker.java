package dev.samediff.adapters.serving;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.compiled.SharedCopies;
import dev.samediff.adapters.graph.GraphEditor;
import org.nd4j.autodiff.samediff.SameDiff;

/** A graph of its own with an engine, for one request at a time, on the arrays that all workers read. */
final class Worker implements AutoCloseable {
    private final GraphEditor editor;
    private final Engine engine;
    private final Decoders decoders;
    private ServedAdapter loaded = ServedAdapter.NONE;

    Worker(SameDiff graph, EngineOptions options, SharedCopies copies) {
        this.editor = new GraphEditor(graph);
        this.engine = options.kind() == EngineOptions.Kind.COMPILED
                ? CompiledEngine.sharing(graph, options, copies)
                : Engines.forOutputs(graph, options);
        this.decoders = new Decoders(graph, engine, options, copies);
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

    Engine engine() {
        return engine;
    }

    Decoders decoders() {
        return decoders;
    }

    @Override
    public void close() {
        decoders.close();
        engine.close();
    }
}
