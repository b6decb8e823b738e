package dev.samediff.dl4j;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.RankBudget;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** The methods, as DL4J's networks take them: nobody tells these of updates, so AdaLoRA keeps all its ranks. */
final class Dl4jMethods {
    private Dl4jMethods() {}

    /** Names of the methods that transformers as vertices take: all. */
    static List<String> ofGraphs() {
        return AdapterMethods.names();
    }

    /** Names of the methods that layers take: those which are a change of one weight, all of it trained. */
    static List<String> ofLayers() {
        return AdapterMethods.names().stream()
                .filter(name -> named(name, 1).bias().isEmpty())
                .filter(name -> named(name, 1).frozen().isEmpty())
                .toList();
    }

    static AdapterMethod named(String name, int rank) {
        return keepingRanks(AdapterMethods.named(name, rank));
    }

    static AdapterMethod named(String name, int rank, OptionalDouble alpha, Map<String, String> settings) {
        return keepingRanks(AdapterMethods.named(name, rank, alpha, settings));
    }

    private static AdapterMethod keepingRanks(AdapterMethod method) {
        return method instanceof AdaLora one ? one.withBudget(RankBudget.DEFAULT.withTarget(one.rank())) : method;
    }
}
