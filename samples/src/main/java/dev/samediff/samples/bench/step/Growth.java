package dev.samediff.samples.bench.step;

import dev.samediff.samples.bench.network.Network;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How the cost of a token grows with the length of the texts and the number of layers. */
public final class Growth {
    private static final int LENGTH = 128;
    private static final int LAYERS = 4;

    private Growth() {}

    /**
     * What a token costs.
     *
     * @param network the network's sizes
     * @param method adapters
     * @param precision this library's
     * @param threads how many threads compute
     * @param secondsPerToken this library's time per step by the tokens of a batch
     * @param peer the peer, or null
     * @param peerSecondsPerToken the peer's
     */
    public record Row(
            String network,
            String method,
            String precision,
            int threads,
            double secondsPerToken,
            @Nullable String peer,
            double peerSecondsPerToken) {
        static Row of(StepRow row) {
            double milliseconds = 1000.0 * Network.parse(row.network()).tokens();
            return new Row(
                    row.network(),
                    row.method(),
                    row.precision(),
                    row.threads(),
                    row.ms() / milliseconds,
                    row.peer(),
                    row.peerMs() / milliseconds);
        }
    }

    /** Returns the networks: lengths 128, 256, 512 at 4 layers, then 8 and 12 layers at length 128. */
    public static List<Network> networks() {
        List<Network> networks = new ArrayList<>();
        for (int length : List.of(LENGTH, 2 * LENGTH, 4 * LENGTH)) {
            networks.add(network(LAYERS, length));
        }
        for (int layers : List.of(2 * LAYERS, 3 * LAYERS)) {
            networks.add(network(layers, LENGTH));
        }
        return networks;
    }

    private static Network network(int layers, int length) {
        return new Network(256, layers, 4, 4, length, 2000);
    }

    /** Returns the cost of a token in each row. */
    public static List<Row> rows(List<StepRow> rows) {
        return rows.stream().map(Row::of).toList();
    }

    /** Returns the rows as a table. */
    public static String describe(List<Row> rows, List<String> notes) {
        TextTable table = new TextTable("network", "precision", "threads", "us/token", "peer", "us/token");
        for (Row row : rows) {
            table.row(
                    row.network(),
                    row.precision(),
                    Integer.toString(row.threads()),
                    microseconds(row.secondsPerToken()),
                    row.peer() == null ? "none" : row.peer(),
                    row.peer() == null ? "" : microseconds(row.peerSecondsPerToken()));
        }
        return table.render() + "\n\n- " + String.join("\n- ", notes);
    }

    private static String microseconds(double seconds) {
        return Numbers.decimal(1e6 * seconds, 1);
    }
}
