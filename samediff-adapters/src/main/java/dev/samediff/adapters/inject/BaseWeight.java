package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.ExpertTensors;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.memory.BlankArrays;
import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.adapters.memory.NativeBlock;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One frozen weight of a graph: its true value, and another one that the graph holds in its place while adapters ask for it.
 *
 * <p>No array that a graph holds or held is ever written to: a changed weight is a new array. So it does not matter who else
 * reads the old one: the caller, a second variable, a copy of the graph ({@link dev.samediff.adapters.graph.SharingCopy}), an
 * engine in the middle of a batch. Taking a change back puts the caller's own array into the graph again.
 */
public final class BaseWeight {
    private final AdaptableSite layer;
    private final String hash;
    private final GraphEditor editor;
    private INDArray original;
    private @Nullable INDArray changed;
    private List<String> residualOf = List.of();

    BaseWeight(AdaptableSite layer, INDArray stored, GraphEditor editor) {
        this.layer = layer;
        this.original = stored;
        this.editor = editor;
        this.hash =
                BlankArrays.isOne(stored) ? AdapterState.UNKNOWN_HASH : BaseHash.ofFiniteWeight(stored, layer.weight());
        release();
    }

    AdaptableSite layer() {
        return layer;
    }

    /** SHA-256 of the true weight as stored; unknown of one without numbers. */
    String hash() {
        return hash;
    }

    /** The true weight [in,out], or [experts,in,out], a view that must not be written to. */
    INDArray trueWeight() {
        return layer.orientation().asInOut(original);
    }

    /** The true weight [in,out] of one expert, a view that must not be written to. */
    INDArray trueWeight(int expert) {
        return layer.orientation().asInOut(ExpertTensors.of(original, expert));
    }

    /** The true weight as stored; it must not be written to. */
    INDArray stored() {
        return original;
    }

    /** Gives the true weight's memory back, if a file stands behind it, until it is read again. */
    void release() {
        FileBackedArrays.release(original);
    }

    /** Tells whether the graph holds the true weight minus the starts of just these adapters, in this order. */
    boolean isResidualOf(List<String> adapters) {
        return changed != null && residualOf.equals(adapters);
    }

    /**
     * Puts the true weight plus a sum into the graph.
     *
     * @param sum what is added
     * @param of the adapters whose residual this is; empty if it depends on trained numbers, which may change
     * @return the bytes of an array that is of no more use to the graph
     */
    long change(LowRankSum sum, List<String> of) {
        INDArray result = uninitialized();
        sum.into(original, result);
        release();
        FileBackedArrays.release(result);
        long left = changed == null ? 0 : bytes(changed);
        editor.replaceArray(layer.weight(), result);
        changed = result;
        residualOf = of;
        return left;
    }

    /** Where the true weight lies: in a file, or in memory. */
    private INDArray uninitialized() {
        return FileBackedArrays.like(original).orElseGet(this::uninitializedInMemory);
    }

    private INDArray uninitializedInMemory() {
        boolean plain =
                original.dataType() == DataType.FLOAT && Nd4j.getEnvironment().isCPU();
        return plain
                ? new NativeBlock(bytes(original)).asArray(DataType.FLOAT, original.shape())
                : Nd4j.createUninitialized(original.dataType(), original.shape(), 'c');
    }

    /**
     * Puts the true weight back.
     *
     * @return the bytes of an array that is of no more use to the graph
     */
    long restore() {
        if (changed == null) {
            return 0;
        }
        long left = bytes(changed);
        editor.replaceArray(layer.weight(), original);
        changed = null;
        residualOf = List.of();
        return left;
    }

    /**
     * Lets a file stand behind the true weight while the graph holds another and, if asked for, behind what the graph holds.
     *
     * @return the bytes of arrays that are of no more use to this
     */
    long moveToFile(Path directory, boolean graphToo) {
        long left = 0;
        if (changed != null || graphToo) {
            INDArray moved = moved(original, directory);
            if (moved != original) {
                left += bytes(original);
                original = moved;
                if (changed == null) {
                    editor.replaceArray(layer.weight(), moved);
                }
            }
        }
        INDArray present = changed;
        if (present != null && graphToo) {
            INDArray moved = moved(present, directory);
            if (moved != present) {
                left += bytes(present);
                changed = moved;
                editor.replaceArray(layer.weight(), moved);
            }
        }
        return left;
    }

    private static INDArray moved(INDArray array, Path directory) {
        return FileBackedArrays.isOne(array)
                ? array
                : FileBackedArrays.copy(array, directory).orElse(array);
    }

    private static long bytes(INDArray array) {
        return array.length() * array.dataType().width();
    }
}
