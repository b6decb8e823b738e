package dev.samediff.tuning.journal;

import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.tuning.TrialResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Trials as a table for spreadsheets: RFC 4180, a column per parameter, empty where it does not exist. */
public final class TrialsCsv {
    private TrialsCsv() {}

    /**
     * Writes the table.
     *
     * @throws IOException if it cannot be written
     */
    public static void write(Path file, List<TrialResult> trials) throws IOException {
        DurableFiles.writeText(file, text(trials));
    }

    static String text(List<TrialResult> trials) {
        Set<String> names = new LinkedHashSet<>();
        trials.forEach(trial -> names.addAll(trial.parameters().values().keySet()));
        List<String> header = new ArrayList<>(List.of("index", "state", "score", "seconds", "attempts", "last_step"));
        header.addAll(names);
        header.add("error");
        StringBuilder csv = new StringBuilder(row(header));
        for (TrialResult trial : trials) {
            List<String> cells = new ArrayList<>(List.of(
                    Integer.toString(trial.index()),
                    trial.state().key(),
                    Double.isFinite(trial.score()) ? Double.toString(trial.score()) : "",
                    Double.toString(Math.round(1000 * trial.seconds()) / 1000.0),
                    Integer.toString(trial.attempts()),
                    trial.curve()
                            .last()
                            .map(point -> Long.toString(point.step()))
                            .orElse("")));
            names.forEach(name -> cells.add(trial.parameters().text(name).orElse("")));
            cells.add(trial.error());
            csv.append(row(cells));
        }
        return csv.toString();
    }

    private static String row(List<String> cells) {
        return cells.stream().map(TrialsCsv::quoted).collect(Collectors.joining(",")) + "\r\n";
    }

    private static String quoted(String cell) {
        return cell.matches("(?s).*[\",\\r\\n].*") ? '"' + cell.replace("\"", "\"\"") + '"' : cell;
    }
}
