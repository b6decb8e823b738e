package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.List;

/** Sizes that a tensor can have: SameDiff counts some of them in 32 bits, and ends the process beyond. */
final class Holdable {
    private Holdable() {}

    /** Refuses sizes of which the known ones are below zero, or more elements together than 32 bits count. */
    static void require(NodeCall call, List<Dim> sizes) {
        long length = HostTensor.length(
                sizes.stream().filter(Dim::isKnown).mapToLong(Dim::known).toArray());
        if (length < 0 || length > Integer.MAX_VALUE) {
            throw call.refused(
                    "makes a tensor of sizes " + sizes + "; sizes from 0 on and up to " + Integer.MAX_VALUE
                            + " elements can be imported",
                    "correct the sizes, or make it in parts");
        }
    }
}
