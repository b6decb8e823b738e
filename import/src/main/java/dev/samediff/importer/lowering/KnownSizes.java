package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.List;
import java.util.Map;

/**
 * What importing found out about sizes.
 *
 * @param ofValues the sizes of each value by its name in the file; those that follow from the data have symbols that begin
 *     with '?'
 * @param equal sizes that must be equal, because an operator combines them element by element
 */
public record KnownSizes(Map<String, List<Dim>> ofValues, List<Equal> equal) {
    /** Nothing is known. */
    public static final KnownSizes NONE = new KnownSizes(Map.of(), List.of());

    /** Copies the collections. */
    public KnownSizes {
        ofValues = Map.copyOf(ofValues);
        equal = List.copyOf(equal);
    }

    /** Two sizes that must be equal, unless one of them is 1 when the graph runs. */
    public record Equal(Dim left, Dim right) {}
}
