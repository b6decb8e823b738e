package dev.samediff.adapters;

import java.util.Map;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SameDiff;

/** A graph and what is known of it beside: an imported model, or one of the user's own. */
public interface BaseModel {
    /** Returns the graph: the same object at every call. */
    SameDiff graph();

    /** Returns module paths by weight variable; weights that are missing are named by themselves, without {@code .weight}. */
    Map<String, String> modulePaths();

    /** Returns how others call the model, PEFT's {@code base_model_name_or_path}: its name on a hub, or its path. */
    default Optional<String> name() {
        return Optional.empty();
    }
}
