package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.TargetSelector;
import java.util.Optional;
import java.util.Set;

/** A target selector as JSON; the order of patterns is kept, since the first that matches counts. */
final class TargetsJson {
    private TargetsJson() {}

    static ObjectNode write(TargetSelector selector) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.set("targets", write(selector.targets()));
        json.put("include_head", selector.includeHead());
        json.set("exclude", write(selector.exclude()));
        selector.layersToTransform().forEach(json.putArray("layers_to_transform")::add);
        selector.layersPattern().forEach(json.putArray("layers_pattern")::add);
        selector.rankPattern().forEach(json.putObject("rank_pattern")::put);
        selector.alphaPattern().forEach(json.putObject("alpha_pattern")::put);
        return json;
    }

    static TargetSelector read(JsonFile json) {
        return new TargetSelector(
                readMatch(json, "targets"),
                json.flag("include_head", false),
                readMatch(json, "exclude"),
                Set.copyOf(json.counts("layers_to_transform")),
                json.texts("layers_pattern"),
                json.countsByName("rank_pattern"),
                json.numbersByName("alpha_pattern"));
    }

    static ObjectNode write(Optional<ModuleMatch> match) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        match.ifPresent(m -> {
            m.names().forEach(json.putArray("names")::add);
            json.put("regex", m.regex().orElse(null));
        });
        return json;
    }

    static Optional<ModuleMatch> readMatch(JsonFile json, String key) {
        return json.object(key)
                .filter(m -> m.has("names"))
                .map(m -> new ModuleMatch(m.texts("names"), m.optionalText("regex")));
    }
}
