package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.List;

/** Numpy's broadcasting on sizes that may be unknown. */
final class Broadcast {
    private Broadcast() {}

    /** Returns the sizes of an element-wise result. */
    static List<Dim> dims(NodeCall call, List<Dim> left, List<Dim> right) {
        int rank = Math.max(left.size(), right.size());
        List<Dim> result = new ArrayList<>();
        for (int i = 0; i < rank; i++) {
            result.add(size(call, at(left, i - rank), at(right, i - rank)));
        }
        return result;
    }

    private static Dim at(List<Dim> dims, int fromEnd) {
        int index = dims.size() + fromEnd;
        return index < 0 ? Dim.ONE : dims.get(index);
    }

    private static Dim size(NodeCall call, Dim a, Dim b) {
        if (a.equals(b) || b.is(1)) {
            return a;
        }
        if (a.is(1)) {
            return b;
        }
        if (a.isKnown() && b.isKnown()) {
            throw call.invalid("combines axes of sizes " + a + " and " + b);
        }
        call.builder().sizes().combined(a, b);
        return a.isKnown() ? a : b.isKnown() ? b : call.builder().unknown();
    }
}
