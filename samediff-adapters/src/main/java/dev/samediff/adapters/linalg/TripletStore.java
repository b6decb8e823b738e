package dev.samediff.adapters.linalg;

import java.util.Optional;

/** Where {@link StoredDecompositions} finds what an earlier run computed. Thread-safe. */
public interface TripletStore {
    /**
     * Returns triplets of this description, if there are any.
     *
     * @param what all that they depend on but for the rank: how they were computed, and the matrix
     * @param rank the rank that is needed
     * @param anyLargerRank whether those of a larger rank will do
     */
    Optional<Decompositions.Svd> find(String what, int rank, boolean anyLargerRank);

    /** Keeps triplets, if that is possible; never fails. */
    void keep(String what, int rank, Decompositions.Svd svd);
}
