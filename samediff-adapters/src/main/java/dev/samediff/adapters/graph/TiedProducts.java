package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The products {@code logits [N,V] = h [N,D] E^T} that share an embedding's table E: those that read the table itself, and linear
 * layers that hold the same numbers, as exporters write a tied head.
 *
 * @param uses the products, whose output is [N,V]
 * @param copies the linear layers among them that have an array of their own
 */
public record TiedProducts(List<AdaptableSite.Use> uses, List<LinearSite> copies) {
    /** How many numbers are compared before a table is turned. */
    private static final int SAMPLE = 64;

    public TiedProducts {
        uses = List.copyOf(uses);
        copies = List.copyOf(copies);
    }

    /**
     * Finds them.
     *
     * @param graph the graph with the caller's arrays
     * @param table the embedding
     * @param layers all layers of the graph
     * @throws InvalidInputException if something else reads the table, which would go on reading the old rows
     */
    public static TiedProducts of(SameDiff graph, EmbeddingSite table, AdaptableLayers layers) {
        if (!table.foreign().isEmpty()) {
            throw new InvalidInputException("rows of `" + table.module() + "` cannot be trained: its table `"
                    + table.weight() + "` is read by the op " + table.foreign().get(0)
                    + " too, which is neither a lookup nor a head x E^T and would go on with the old rows. Give that op a"
                    + " weight of its own in the model file, or put low-rank factors on the embedding");
        }
        List<AdaptableSite.Use> uses = new ArrayList<>(table.products());
        INDArray stored = graph.getVariable(table.weight()).getArr();
        List<LinearSite> copies = layers.sites().stream()
                .filter(LinearSite.class::isInstance)
                .map(LinearSite.class::cast)
                .filter(site -> site.in() == table.out() && site.out() == table.in())
                .filter(site -> isSame(stored, site, graph))
                .toList();
        copies.forEach(site -> uses.addAll(site.uses()));
        return new TiedProducts(uses, copies);
    }

    private static boolean isSame(INDArray table, LinearSite site, SameDiff graph) {
        INDArray weight = graph.getVariable(site.weight()).getArr();
        if (weight.dataType() != table.dataType()) {
            return false;
        }
        INDArray rows = site.orientation().asInOut(weight).transpose();
        long count = table.length();
        for (int i = 0; i < SAMPLE; i++) {
            long place = i * (count - 1) / (SAMPLE - 1);
            long row = place / table.size(1);
            long column = place % table.size(1);
            if (table.getDouble(row, column) != rows.getDouble(row, column)) {
                return false;
            }
        }
        return table.castTo(DataType.DOUBLE)
                        .sub(rows.castTo(DataType.DOUBLE))
                        .amaxNumber()
                        .doubleValue()
                == 0;
    }
}
