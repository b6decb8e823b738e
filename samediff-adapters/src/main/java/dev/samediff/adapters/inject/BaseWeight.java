package dev.samediff.adapters.inject;

import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.adapters.memory.NativeBlock;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One frozen weight of the graph, and its true value, which is kept aside only while the graph holds another. Once the
 * graph has its array, that object stays: engines which hold it see every change.
 */
public final class BaseWeight {
    private final AdaptableSite layer;
    private final String hash;
    private INDArray inGraph;
    private @Nullable INDArray aside;
    private boolean separated;
    private @Nullable GraphEditor toSeparate;

    BaseWeight(AdaptableSite layer, INDArray stored) {
        this.layer = layer;
        this.inGraph = stored;
        this.hash = BaseHash.ofFiniteWeight(stored, layer.weight());
    }

    AdaptableSite layer() {
        return layer;
    }

    /** SHA-256 of the true weight as stored. */
    String hash() {
        return hash;
    }

    /** The true weight [in,out], a view that must not be written to. */
    INDArray trueWeight() {
        return layer.orientation().asInOut(aside == null ? inGraph : aside);
    }

    /** The true weight as stored; it must not be written to. */
    INDArray stored() {
        return aside == null ? inGraph : aside;
    }

    /** Gives the true weight's memory back, if a file stands behind it, until it is read again. */
    void release() {
        FileBackedArrays.release(stored());
    }

    /**
     * Lets a file stand behind the true weight that is kept aside and, if asked for, behind the graph's array, which is another
     * one then.
     */
    void moveToFile(GraphEditor editor, Path directory, boolean graphToo) {
        if (aside != null && !FileBackedArrays.isOne(aside)) {
            aside = FileBackedArrays.copy(aside, directory).orElse(aside);
        }
        if (graphToo && !FileBackedArrays.isOne(inGraph)) {
            FileBackedArrays.copy(inGraph, directory).ifPresent(moved -> {
                editor.replaceArray(layer.weight(), moved);
                if (separated) {
                    inGraph.close(); // made by separate, nobody else has it
                }
                inGraph = moved;
                separated = true;
            });
        }
    }

    /**
     * Gives the graph an array of its own, so that the caller's one, which may be shared, is never written to; only before
     * any engine holds it.
     *
     * @param keep whether the caller's array is to be kept as the true weight, because the graph will soon hold another
     */
    void separate(GraphEditor editor, boolean keep) {
        boolean plain =
                inGraph.dataType() == DataType.FLOAT && Nd4j.getEnvironment().isCPU();
        INDArray own = plain ? NativeBlock.copyOf(inGraph) : inGraph.dup('c');
        editor.replaceArray(layer.weight(), own);
        aside = keep ? inGraph : null;
        inGraph = own;
        separated = true;
    }

    /** Keeps the caller's array as the true weight as soon as the graph holds another, for which it gets an array of its own. */
    void separateWhenSet(GraphEditor editor) {
        toSeparate = editor;
    }

    /** Keeps the true weight aside and returns the graph's array, to be overwritten. */
    INDArray toOverwrite() {
        if (toSeparate != null) {
            separate(toSeparate, true);
            toSeparate = null;
        }
        if (aside == null) {
            aside = inGraph.dup('c');
        }
        return inGraph;
    }

    /** Puts the true weight back, exactly; returns whether the graph held another. */
    boolean restore() {
        if (aside == null) {
            return false;
        }
        inGraph.assign(aside);
        aside = null;
        return true;
    }
}
