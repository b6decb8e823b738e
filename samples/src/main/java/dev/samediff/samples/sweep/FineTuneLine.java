package dev.samediff.samples.sweep;

import dev.samediff.tuning.space.ParameterValues;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** A trial as the {@code finetune} command that does the same. */
public final class FineTuneLine {
    /** Value of a switch, which stands alone on a command line. */
    private static final String ON = "true";

    private static final Map<String, String> OPTIONS = new LinkedHashMap<>();

    static {
        OPTIONS.put("method", "--method");
        OPTIONS.put("rank", "--rank");
        OPTIONS.put("alpha", "--alpha");
        OPTIONS.put("gamma", "--gamma");
        OPTIONS.put("eta", "--lr");
        OPTIONS.put("targets", "--targets");
        OPTIONS.put("schedule", "--schedule");
        OPTIONS.put("batch", "--batch");
    }

    private FineTuneLine() {}

    /**
     * Returns the command.
     *
     * @param values what the trial tried
     * @param common options of all trials with their values; what the trial tried wins
     */
    public static String of(ParameterValues values, Map<String, String> common) {
        Map<String, String> options = new LinkedHashMap<>();
        OPTIONS.forEach((name, option) -> {
            if (values.values().containsKey(name)) {
                options.put(option, LiveTable.value(values, name));
            }
        });
        common.forEach(options::putIfAbsent);
        return "samples/run finetune "
                + options.entrySet().stream().map(FineTuneLine::option).collect(Collectors.joining(" "));
    }

    private static String option(Map.Entry<String, String> entry) {
        return entry.getValue().equals(ON) ? entry.getKey() : entry.getKey() + " " + quoted(entry.getValue());
    }

    private static String quoted(String word) {
        return word.matches("[\\w./:,=+@%-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
