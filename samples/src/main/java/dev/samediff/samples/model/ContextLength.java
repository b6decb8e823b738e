package dev.samediff.samples.model;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.ImportedModel;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Most tokens a model can see: a fixed input shape, or the height of its tables of positions and masks. */
public final class ContextLength {
    private static final int DEFAULT = 256;

    private ContextLength() {}

    /**
     * Returns the user's length if the model allows it, otherwise the model's own, at most {@value #DEFAULT}.
     *
     * @throws InvalidInputException if the user's length is more than the model allows
     */
    public static int of(ImportedModel model, InputBinding inputs, Optional<Integer> requested) {
        OptionalInt limit = inputs.fixedLength().isPresent() ? inputs.fixedLength() : limit(model.longestText());
        if (requested.isEmpty()) {
            return inputs.fixedLength().orElse(Math.min(DEFAULT, limit.orElse(DEFAULT)));
        }
        int length = requested.get();
        if (length < 2 || (limit.isPresent() && length > limit.getAsInt())) {
            throw new InvalidInputException("--max-length " + length + " is outside what this model sees, 2 to "
                    + (limit.isPresent() ? limit.getAsInt() : "any number of") + " tokens");
        }
        return inputs.fixedLength().orElse(length);
    }

    private static OptionalInt limit(OptionalLong longest) {
        return longest.isPresent()
                ? OptionalInt.of((int) Math.min(Integer.MAX_VALUE, longest.getAsLong()))
                : OptionalInt.empty();
    }
}
