package dev.samediff.adapters.engine.decoding;

import java.util.Collections;
import java.util.List;

/**
 * How a node that depends on the text is computed for one position.
 *
 * @param output where its outputs have the position
 * @param inputs what it reads
 */
record Flow(Position output, List<Form> inputs) {
    /** What is read of an input. */
    enum Form {
        /** One position of it: it depends on the text. */
        SINGLE,
        /** The same position as the output's, or all of it if it has only one there. */
        ALONG,
        /** All of it; if it depends on the text, a cache. */
        WHOLE
    }

    Flow {
        inputs = List.copyOf(inputs);
    }

    static Flow of(Position output, Form... inputs) {
        return new Flow(output, List.of(inputs));
    }

    /** All inputs lie along the output. */
    static Flow along(Position output, int count) {
        return new Flow(output, Collections.nCopies(count, Form.ALONG));
    }
}
