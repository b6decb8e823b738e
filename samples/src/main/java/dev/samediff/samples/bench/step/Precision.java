package dev.samediff.samples.bench.step;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** How the frozen weights are multiplied; adapters, normalisations and the loss stay float32. */
public enum Precision {
    /** float32. */
    F32,
    /** bfloat16 with float32 sums. */
    BF16;

    /** Returns the name in tables, on the command line and in JSON. */
    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return label();
    }
}
