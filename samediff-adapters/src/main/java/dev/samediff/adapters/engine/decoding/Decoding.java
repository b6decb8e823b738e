package dev.samediff.adapters.engine.decoding;

import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.List;

/**
 * A causal decoder as two programs: one that computes the caches from whole texts, and one that computes the logits of one
 * position of every text from the caches, and adds that position to them.
 *
 * @param prefill the program of whole texts; its outputs are the caches
 * @param step the program of one position; its ids are [batch,1], its output is [batch, ..., vocabulary] under the name of the logits
 * @param caches what both have in common
 */
public record Decoding(Program prefill, Program step, List<Cache> caches) {
    /** The leaf of the step with the position of every text, LONG [batch]. */
    public static final String POSITIONS = "decoding.positions";

    /** The leaf of the step with {@code text * length + position}, LONG [batch]. */
    public static final String ROWS = "decoding.rows";

    public Decoding {
        caches = List.copyOf(caches);
    }

    /**
     * Makes the two programs.
     *
     * @param program computes the logits of whole texts
     * @param ids leaf with the token ids [batch,T]; other leaves stay whole
     * @param logits output of the program, [batch,T,vocabulary] or the same elements in another shape
     * @throws dev.samediff.adapters.engine.UncompilableException if the model mixes positions in a way that is not
     *     understood
     */
    public static Decoding of(Program program, Tensor ids, String logits) {
        return new DecodingBuilder(program, ids).build(logits);
    }
}
