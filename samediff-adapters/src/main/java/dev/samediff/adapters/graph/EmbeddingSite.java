package dev.samediff.adapters.graph;

import dev.samediff.adapters.SiteKind;
import java.util.List;

/**
 * An embedding of a graph: one table [in,out] and every gather that looks rows of it up.
 *
 * @param module module path, such as {@code transformer.wte}
 * @param weight name of the table
 * @param in number of rows, the size of the vocabulary
 * @param out size of a row
 * @param uses every lookup, in graph order; a table looked up several times is one site
 * @param others names of the ops that use the table otherwise, as the head of a tied model does; they get a copy when the
 *     table is adapted, so that they go on computing what they did
 * @param products the products {@code h E^T} among them
 * @param foreign those of them that are no such products, described
 */
public record EmbeddingSite(
        String module,
        String weight,
        int in,
        int out,
        List<Use> uses,
        List<String> others,
        List<Use> products,
        List<String> foreign)
        implements AdaptableSite {
    public EmbeddingSite {
        uses = List.copyOf(uses);
        others = List.copyOf(others);
        products = List.copyOf(products);
        foreign = List.copyOf(foreign);
    }

    /** Describes an embedding whose table nothing else reads. */
    public EmbeddingSite(String module, String weight, int in, int out, List<Use> uses) {
        this(module, weight, in, out, uses, List.of(), List.of(), List.of());
    }

    /** Returns this embedding under another module path. */
    EmbeddingSite withModule(String newModule) {
        return new EmbeddingSite(newModule, weight, in, out, uses, others, products, foreign);
    }

    @Override
    public Orientation orientation() {
        return Orientation.IN_OUT;
    }

    @Override
    public SiteKind kind() {
        return SiteKind.EMBEDDING;
    }

    /** Returns the name of the copy of the table that {@link #others} read while the table is adapted. */
    public String copy() {
        return copyOf(weight);
    }

    /** Returns the name of a table's copy, see {@link #copy()}. */
    public static String copyOf(String weight) {
        return weight + "/untied";
    }
}
