package dev.samediff.samples.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.GivenFile;
import dev.samediff.samples.output.Json;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.SpaceJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a sweep's results depend on, kept beside its journal so that {@code --resume} goes on with the same sweep.
 *
 * @param json space, plan, training settings, and the command line that said so
 */
public record SweepDefinition(ObjectNode json) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FILE = "sweep.json";
    private static final String SCHEMA = "schema";
    private static final int WITH_EVERY_OPTION = 2;
    private static final String TRIALS = "trials";
    private static final String ARGUMENTS = "arguments";

    /**
     * Returns a definition.
     *
     * @param space what is varied
     * @param plan how it is searched
     * @param settings what all trials have in common
     * @param arguments the command's options
     */
    public static SweepDefinition of(
            AdapterSpace space, SweepPlan plan, Map<String, String> settings, List<String> arguments) {
        ObjectNode json = JSON.createObjectNode().put(SCHEMA, WITH_EVERY_OPTION);
        json.set("space", SpaceJson.write(space));
        json.put(TRIALS, plan.trials())
                .put("search", plan.search().key())
                .put("seed", plan.seed())
                .put("parallel", plan.parallel())
                .put("threads", plan.threads())
                .put("prune", plan.pruning().toString())
                .put("retries", plan.retries())
                .put("trial_limit", plan.limit().toSeconds())
                .put("grid_points", plan.gridPoints());
        settings.forEach(json::put);
        ArrayNodes.put(json, ARGUMENTS, arguments);
        return new SweepDefinition(json);
    }

    /**
     * Writes the definition of a new sweep, or checks that it is the one in the folder. More trials than before are possible.
     *
     * @throws InvalidInputException if the folder has another sweep
     */
    public void settle(Path folder, boolean resume) throws IOException {
        if (resume) {
            JsonNode before = read(folder);
            List<String> different = new ArrayList<>();
            json.properties().forEach(entry -> {
                String name = entry.getKey();
                JsonNode old = before.path(name);
                boolean more = name.equals(TRIALS) && entry.getValue().asInt() >= old.asInt();
                if (!name.equals(ARGUMENTS)
                        && !name.equals(SCHEMA)
                        && !more
                        && !entry.getValue().toString().equals(old.toString())) {
                    different.add(name + " was " + old + " and is " + entry.getValue());
                }
            });
            if (before.path(SCHEMA).asInt() >= WITH_EVERY_OPTION) {
                before.properties().stream()
                        .filter(entry -> !json.has(entry.getKey()))
                        .forEach(entry -> different.add(entry.getKey() + " was " + entry.getValue()));
            }
            if (!different.isEmpty()) {
                throw new InvalidInputException("the sweep in " + folder + " is another one: "
                        + String.join("; ", different) + ". Give --out and --resume alone to go on with it");
            }
        }
        DurableFiles.writeText(folder.resolve(FILE), Json.pretty(json));
    }

    /** Returns the options of the sweep in a folder. */
    public static List<String> arguments(Path folder) {
        List<String> arguments = new ArrayList<>();
        read(folder).path(ARGUMENTS).forEach(argument -> arguments.add(argument.asText()));
        return arguments;
    }

    private static JsonNode read(Path folder) {
        Path file = folder.resolve(FILE);
        try {
            JsonNode json = JSON.readTree(GivenFile.bytes(file, GivenFile.MOST_JSON, "the definition of a sweep"));
            if (!json.path(ARGUMENTS).isArray()) { // without them a sweep would be another one
                throw new InvalidInputException(
                        file + " is damaged: it has no list of `" + ARGUMENTS + "`; restore it, or begin a new sweep");
            }
            return json;
        } catch (IOException e) {
            throw new InvalidInputException(
                    "there is no sweep to go on with in " + folder + ": " + file + " cannot be read");
        }
    }

    private static final class ArrayNodes {
        static void put(ObjectNode json, String name, List<String> values) {
            values.forEach(json.putArray(name)::add);
        }
    }
}
